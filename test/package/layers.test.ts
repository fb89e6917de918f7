import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

/** Imports that each file may not contain. */
const REFUSED: Record<string, readonly string[]> = {
  "src/index.ts": ["./browser.ts", "./node.ts", "./cli/lodestore.ts", "../demo/main.ts", "../test/x.ts", "lodestore"],
  "src/worker.ts": ["./store/../browser.ts", "./browser.ts"],
  "src/node.ts": ["./node-worker.ts", "./worker.ts", "./cli/open-store.ts"],
  "src/errors.ts": ["./contracts/sql.ts", "./store/ids.ts", "node:util", "yaml"],
  "src/turns.ts": ["./contracts/sql.ts", "./errors.ts", "node:util", "yaml"],
  "src/contracts/a.ts": [
    "../store/ids.ts",
    "../drivers/d.ts",
    "../rpc/r.ts",
    "../sql/s.ts",
    "../index.ts",
    "../cli/c.ts",
    "../formats/f.ts",
  ],
  "src/formats/a.ts": [
    "../contracts/sql.ts",
    "../store/ids.ts",
    "../drivers/d.ts",
    "../rpc/r.ts",
    "../sql/s.ts",
    "../cli/c.ts",
    "../browser.ts",
    "../../wasm/w.ts",
    "./../store/ids.ts",
    "node:fs",
    "lodestore",
  ],
  "src/formats/deep/a.ts": ["../../contracts/sql.ts", "../../store/ids.ts", "../../worker.ts"],
  "src/drivers/a.ts": [
    "../store/ids.ts",
    "../rpc/r.ts",
    "../sql/s.ts",
    "../worker.ts",
    "../cli/c.ts",
    "lodestore/node",
  ],
  "src/drivers/deep/a.ts": [
    "../../store/ids.ts",
    "../../rpc/r.ts",
    "../../worker.ts",
    "../../blobs-idb.ts",
    "./../../store/ids.ts",
  ],
  "src/rpc/a.ts": [
    "../store/ids.ts",
    "../drivers/d.ts",
    "../sql/s.ts",
    "../browser.ts",
    "../cli/c.ts",
    "../formats/f.ts",
  ],
  "src/sql/a.ts": [
    "../store/ids.ts",
    "../drivers/d.ts",
    "../rpc/r.ts",
    "../node.ts",
    "../formats/f.ts",
    "../../migrations/V001__init.sql",
  ],
  "src/store/a.ts": ["../drivers/d.ts", "../rpc/r.ts", "../node.ts", "../edge.ts", "../cli/c.ts", "../../test/x.ts"],
  "src/store/deep/a.ts": ["../../drivers/d.ts", "../../rpc/r.ts", "../../node.ts", "../../../demo/main.ts"],
  "src/store/deep/deeper/a.ts": ["../../../drivers/d.ts", "../../../rpc/r.ts", "../../../index.ts"],
  "src/cli/a.ts": ["../store/ids.ts", "../drivers/d.ts", "../errors.ts", "../index.ts", "../contracts/sql.ts"],
  "demo/a.ts": [
    "../src/browser.ts",
    "../dist/browser.js",
    "../test/x.ts",
    "yaml",
    "node:fs",
    "@scope/name",
    "lodash",
    "lit",
  ],
  "demo/deep/a.ts": ["../../src/browser.ts", "./../../src/browser.ts"],
  "test/a.ts": ["../demo/main.ts"],
  "scripts/a.ts": ["../demo/main.ts"],
};

/** Imports that each file may contain. */
const ALLOWED: Record<string, readonly string[]> = {
  "src/index.ts": [
    "./contracts/sql.ts",
    "./drivers/d.ts",
    "./formats/f.ts",
    "./rpc/r.ts",
    "./sql/s.ts",
    "./store/ids.ts",
    "./errors.ts",
  ],
  "src/node.ts": ["./index.ts", "./node-threads.ts", "./node-vectors.ts", "./node-vector-options.ts", "./rpc/r.ts"],
  "src/contracts/a.ts": ["../errors.ts", "./sql.ts"],
  "src/formats/a.ts": ["../errors.ts", "./f.ts", "@noble/hashes/blake3.js"],
  "src/formats/deep/a.ts": ["../../errors.ts", "../f.ts"],
  "src/drivers/a.ts": [
    "../contracts/sql.ts",
    "../formats/f.ts",
    "../errors.ts",
    "./d.ts",
    "@sqlite.org/sqlite-wasm",
    "node:sqlite",
  ],
  "src/drivers/deep/a.ts": [
    "../../contracts/sql.ts",
    "../../formats/f.ts",
    "../../errors.ts",
    "../../turns.ts",
    "../d.ts",
  ],
  "src/rpc/a.ts": ["../contracts/sql.ts", "../errors.ts", "./r.ts"],
  "src/sql/a.ts": ["../contracts/sql.ts", "../errors.ts", "./s.ts"],
  "src/store/a.ts": [
    "../contracts/sql.ts",
    "../errors.ts",
    "../turns.ts",
    "../sql/s.ts",
    "../formats/f.ts",
    "./ids.ts",
    "yaml",
  ],
  "src/store/deep/a.ts": [
    "../../contracts/sql.ts",
    "../../errors.ts",
    "../../formats/f.ts",
    "../../sql/s.ts",
    "../ids.ts",
  ],
  "src/store/deep/deeper/a.ts": ["../../../contracts/sql.ts", "../../../errors.ts", "../../ids.ts"],
  "src/cli/a.ts": ["../node.ts", "../formats/f.ts", "./c.ts", "node:util"],
  "demo/a.ts": ["lodestore", "lodestore/browser", "./b.ts", "../README.md?raw"],
  "test/a.ts": ["../src/browser.ts", "lodestore/browser"],
  "test/demo/a.test.ts": ["../../demo/chat/a.ts", "lodestore"],
};

interface Finding {
  /** Missing where the file could not be parsed. */
  code?: string;
  filename: string;
  labels: { span: { line: number } }[];
}

describe("the linter", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lodestore-lint-"));
    for (const file of [".oxlintrc.json", "tsconfig.base.json"]) cpSync(join(root, file), join(folder, file));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    write("tsconfig.json", `{ "extends": "./tsconfig.base.json", "include": ["src", "demo", "test", "scripts"] }`);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }

  /** Lints the files, and returns what was found as `rule file:line`, in order. */
  function lint(files: Record<string, string>): string[] {
    for (const part of ["src", "demo", "test", "scripts"]) rmSync(join(folder, part), { recursive: true, force: true });
    for (const [path, text] of Object.entries(files)) write(path, text);
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, "node_modules/oxlint/bin/oxlint"), "--format", "json", ...Object.keys(files)],
      { cwd: folder, encoding: "utf8" },
    );
    if (!stdout.startsWith("{")) throw new Error(`oxlint did not run: ${stdout}${stderr}`);
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: Finding[] };
    const unparsed = diagnostics.filter(({ code }) => !code);
    if (unparsed.length > 0) throw new Error(`oxlint could not read a file: ${JSON.stringify(unparsed[0])}`);
    return diagnostics
      .map(({ code, filename, labels }) => `${code} ${filename.replaceAll("\\", "/")}:${labels[0]?.span.line}`)
      .toSorted();
  }

  /** Every form in which a file can depend on another; the number keeps the names in one file apart. */
  const forms = [
    (from: string, at = 0) => `import { x as x${at} } from "${from}"; x${at}();`,
    (from: string, at = 0) => `import type { X as X${at} } from "${from}"; export const x${at}: X${at} | null = null;`,
    (from: string, at = 0) => `export { x as x${at} } from "${from}";`,
    (from: string) => `export * from "${from}";`,
    (from: string) => `import "${from}";`,
    (from: string, at = 0) => `export const x${at} = (): Promise<unknown> => import("${from}");`,
  ];

  const restricted = (findings: string[]): string[] =>
    findings.filter((found) => found.includes("no-restricted-imports"));

  test("refuses every import that breaks a layer, in every form of import", () => {
    for (const form of forms) {
      const files: Record<string, string> = {};
      for (const [file, refused] of Object.entries(REFUSED)) {
        for (const [at, from] of refused.entries()) files[file.replace(/\.ts$/, `-${at}.ts`)] = form(from);
      }
      // Entry points, errors.ts and turns.ts are known by their names: one file, one import after the other.
      for (const file of ["src/index.ts", "src/worker.ts", "src/errors.ts", "src/turns.ts"]) {
        for (const at of REFUSED[file]?.keys() ?? []) delete files[file.replace(/\.ts$/, `-${at}.ts`)];
        files[file] = (REFUSED[file] ?? []).map((from, at) => form(from, at)).join("\n");
      }
      const expected = Object.entries(files).flatMap(([file, text]) =>
        text.split("\n").map((_, line) => `eslint(no-restricted-imports) ${file}:${line + 1}`),
      );
      expect(new Set(restricted(lint(files)))).toEqual(new Set(expected));
    }
  });

  test("refuses a type that is imported where it is used, which the layer rules do not see", () => {
    expect(lint({ "src/store/a.ts": `export type A = import("../drivers/d.ts").D;` })).toEqual([
      "typescript(consistent-type-imports) src/store/a.ts:1",
    ]);
  });

  test("allows what the layers allow", () => {
    for (const form of forms) {
      const files = Object.fromEntries(
        Object.entries(ALLOWED).map(([file, allowed]) => [file, allowed.map((from, at) => form(from, at)).join("\n")]),
      );
      expect(restricted(lint(files))).toEqual([]);
    }
  });

  test("knows every folder and every top-level file of src", () => {
    const known =
      /^(cli|contracts|drivers|formats|rpc|sql|store|(index|browser|worker|blobs-idb|node|node-(thread|threads|vectors|vector-options|worker)|edge|errors|turns)\.ts)$/;
    expect(readdirSync(join(root, "src")).filter((name) => !known.test(name))).toEqual([]);
  });

  test("refuses a source file of more than 400 lines, unless it is generated", () => {
    const lines = (count: number): string =>
      Array.from({ length: count }, (_, at) => `export const x${at} = ${at};\n`).join("");
    const long = lines(401);
    expect(lint({ "src/store/a.ts": lines(400), "src/sql/a.generated.ts": long })).toEqual([]);
    expect(lint({ "src/store/a.ts": long })).toEqual([
      expect.stringMatching(/^eslint\(max-lines\) src\/store\/a\.ts:/),
    ]);
  });

  test("refuses cycles, dropped promises, any, and switches that forget a case", () => {
    const found = lint({
      "src/store/a.ts": `import { b } from "./b.ts";\nexport const a = (): number => b() + 1;`,
      "src/store/b.ts": `import { a } from "./a.ts";\nexport const b = (): number => a() + 1;`,
      "src/store/promise.ts": `export function f(): void {\n  Promise.resolve(1);\n}`,
      "src/store/any.ts": `export const f = (x: any): string => String(x);`,
      "src/store/parsed.ts": `export const f = (text: string): number => {\n  const x: number = JSON.parse(text);\n  return x;\n};`,
      "src/store/switch.ts": `export function f(x: "a" | "b"): number {\n  switch (x) {\n    case "a":\n      return 1;\n  }\n  return 2;\n}`,
    });
    expect(found).toEqual([
      "import(no-cycle) src/store/a.ts:1",
      "import(no-cycle) src/store/b.ts:1",
      "typescript(no-explicit-any) src/store/any.ts:1",
      "typescript(no-floating-promises) src/store/promise.ts:2",
      "typescript(no-unsafe-assignment) src/store/parsed.ts:2",
      "typescript(switch-exhaustiveness-check) src/store/switch.ts:2",
    ]);
  });
});
