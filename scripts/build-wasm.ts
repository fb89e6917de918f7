/** Builds wasm/hnsw.wasm from wasm/assembly, or the file named as the first argument. wasm/README.md says more. */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const target = resolve(process.argv[2] ?? join(root, "wasm/hnsw.wasm"));
const compiler = createRequire(import.meta.url).resolve("assemblyscript/bin/asc.js");

const flags = [
  "-O3 --converge --noAssert --enable simd --enable bulk-memory",
  // No allocator, no collector, and nothing to import from the host.
  "--runtime stub --use abort=",
  // The kernel lays its memory out itself: 5 pages hold the scratch below state.REGIONS.
  "--memoryBase 0 --initialMemory 5",
].flatMap((line) => line.split(" "));

const { status } = spawnSync(process.execPath, [compiler, "wasm/assembly/index.ts", "--outFile", target, ...flags], {
  cwd: root,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
