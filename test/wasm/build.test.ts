import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { builtKernel, kernelPath } from "./built-kernel.ts";

const MAX_GZIP_BYTES = 16 * 1024;
const script = resolve(import.meta.dirname, "../../scripts/build-wasm.ts");

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lodestore-kernel-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the committed kernel is what its source builds, byte for byte", { timeout: 120_000 }, () => {
  const target = join(folder, "hnsw.wasm");
  execFileSync(process.execPath, [script, target], { stdio: "pipe" });
  const rebuilt = readFileSync(target);
  expect(rebuilt.equals(readFileSync(kernelPath)), "run: npm run build:wasm").toBe(true);
});

test("the kernel takes at most 16 KiB compressed", () => {
  expect(gzipSync(readFileSync(kernelPath), { level: 9 }).byteLength).toBeLessThanOrEqual(MAX_GZIP_BYTES);
});

test("the kernel imports nothing", () => {
  expect(WebAssembly.Module.imports(builtKernel)).toEqual([]);
});
