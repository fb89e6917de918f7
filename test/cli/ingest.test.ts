import { chmodSync, existsSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { Document, IngestReport, Page } from "../../src/node.ts";
import { lodestore, lodestoreJson, makeFolder, writeFiles } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 60_000 });

const KILN = "# Kiln\n\nCone 6 melts at 1222 degrees.\n";
const GLAZE = "# Glaze\n\nA celadon is green.\n";

interface IngestJson extends IngestReport {
  leftOut: Record<string, unknown>;
  notSwept: string | null;
}

async function pathsIn(folder: string, ...args: string[]): Promise<string[]> {
  const page = await lodestoreJson<Page<Document>>(folder, "list", ...args);
  return page.items.map(({ workspacePath }) => workspacePath);
}

describe("lodestore ingest", () => {
  test("takes a folder in, skips what did not change, replaces what did, and removes what is gone when asked", async () => {
    const folder = makeFolder({ "docs/kiln.md": KILN, "docs/deep/glaze.md": GLAZE });
    const first = await lodestore(folder, "ingest", "docs");
    expect(first).toMatchObject({ code: 0, signal: null });
    expect(first.stdout).toMatch(
      /^2 files: 2 added, 0 changed, 0 unchanged\n.* in 2 passages, .* into \.lodestore\n2 passages embedded, .*\n$/,
    );

    writeFiles(folder, { "docs/kiln.md": `${KILN}\nCone 10 is hotter.\n` });
    const second = await lodestore(folder, "ingest", "docs", "--quiet");
    expect(second).toMatchObject({ code: 0, stderr: "" });
    expect(second.stdout).toContain("2 files: 0 added, 1 changed, 1 unchanged\n");

    rmSync(join(folder, "docs/deep"), { recursive: true });
    expect(await lodestoreJson<IngestJson>(folder, "ingest", "docs")).toMatchObject({ skipped: 1, removed: 0 });
    const swept = await lodestore(folder, "ingest", "docs", "--sweep");
    expect(swept.stdout).toContain("1 file: 0 added, 0 changed, 1 unchanged, 1 removed\n");
    expect(await pathsIn(folder)).toEqual(["kiln.md"]);
  });

  test("names every bad file with its reason, takes the rest in, and exits with 1", async () => {
    const folder = makeFolder({
      "docs/good.md": KILN,
      "docs/binary.md": Uint8Array.of(35, 32, 0, 1, 2),
      "docs/latin1.txt": Uint8Array.of(0x63, 0x61, 0x66, 0xe9, 0x0a),
      "docs/large.md": "x".repeat(2 ** 20 + 1),
      "docs/unknown.zzz": Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0),
      "docs/picture.png": Uint8Array.of(0x89, 0x50),
      "docs/.secret": "x",
    });
    symlinkSync("nothing-there.md", join(folder, "docs/broken.md"));
    const text = await lodestore(folder, "ingest", "docs", "--max-file-mb", "1");
    expect(text.code).toBe(1);
    expect(text.stdout).toContain("6 files: 1 added, 0 changed, 0 unchanged, 5 failed\n");
    expect(text.stdout).toContain("Left out: 1 hidden file, 1 file without text (.png 1)\n");
    expect(text.stdout).toContain("  binary.md: looks binary: NUL byte at offset 2\n");
    expect(text.stdout).toContain("  latin1.txt: is not UTF-8 text: invalid byte at offset 3\n");
    expect(text.stdout).toContain("  large.md: is 1.0 MiB large; the limit is 1.0 MiB");
    expect(text.stdout).toContain("  unknown.zzz: looks binary: NUL byte at offset 4\n");
    expect(text.stdout).toContain("  broken.md: link cannot be followed: ENOENT");
    expect(await pathsIn(folder)).toEqual(["good.md"]);

    const report = await lodestoreJson<IngestJson>(folder, "ingest", "docs", "--max-file-mb", "1");
    expect(report).toMatchObject({ added: 0, skipped: 1, leftOut: { hiddenFiles: 1, binary: { png: 1 } } });
    expect(report.failures.map(({ path, code }) => `${path} ${code}`)).toEqual([
      "binary.md INVALID_INPUT",
      "large.md INVALID_INPUT",
      "latin1.txt INVALID_INPUT",
      "unknown.zzz INVALID_INPUT",
      "broken.md DRIVER",
    ]);
  });

  test.skipIf(process.getuid?.() === 0 || process.platform === "win32")(
    "reports what it has no permission to read (the superuser may read everything)",
    async () => {
      const folder = makeFolder({ "docs/a.md": KILN, "docs/shut/b.md": GLAZE, "docs/locked.md": GLAZE });
      chmodSync(join(folder, "docs/shut"), 0);
      chmodSync(join(folder, "docs/locked.md"), 0);
      const { code, stdout } = await lodestore(folder, "ingest", "docs");
      chmodSync(join(folder, "docs/shut"), 0o755);
      expect(code).toBe(1);
      expect(stdout).toMatch(/locked\.md: cannot be read: EACCES/);
      expect(stdout).toMatch(/shut: folder cannot be read: EACCES/);
      expect(await pathsIn(folder)).toEqual(["a.md"]);
    },
  );

  test("does not sweep where files may be there that it could not read, or where there are none at all", async () => {
    const folder = makeFolder({ "docs/a.md": KILN, "docs/b.md": GLAZE, "empty/x.png": "" });
    await lodestore(folder, "ingest", "docs");
    rmSync(join(folder, "docs/b.md"));
    symlinkSync("gone", join(folder, "docs/c.md"));
    const unread = await lodestoreJson<IngestJson>(folder, "ingest", "docs", "--sweep");
    expect(unread).toMatchObject({ removed: 0, notSwept: "1 entry could not be read, and may be there" });
    const { code, stdout } = await lodestore(folder, "ingest", "empty", "--sweep");
    expect([code, stdout]).toEqual([1, expect.stringContaining("Not swept: there is no file to take in")]);
    expect(await pathsIn(folder)).toEqual(["a.md", "b.md"]);
  });

  test("keeps several folders apart under prefixes, and sweeps within its own", async () => {
    const folder = makeFolder({ "one/a.md": KILN, "two/a.md": GLAZE, "two/b.md": GLAZE });
    await lodestore(folder, "ingest", "one", "--prefix", "/one/");
    await lodestore(folder, "ingest", "two", "--prefix", "two");
    rmSync(join(folder, "two/b.md"));
    await lodestore(folder, "ingest", "two", "--prefix", "two", "--sweep");
    expect(await pathsIn(folder)).toEqual(["one/a.md", "two/a.md"]);
  });

  test("sweeps under a prefix in the letters of macOS, which come apart into base and accent", async () => {
    const folder = makeFolder({ "docs/a.md": KILN, "docs/b.md": GLAZE });
    const apart = "caf\u0065\u0301";
    await lodestore(folder, "ingest", "docs", "--prefix", apart);
    rmSync(join(folder, "docs/b.md"));
    expect(await lodestore(folder, "ingest", "docs", "--prefix", apart, "--sweep")).toMatchObject({ code: 0 });
    expect(await pathsIn(folder)).toEqual(["caf\u00e9/a.md"]);
  });

  test("takes single files under the path that was typed, whatever their ending", async () => {
    const folder = makeFolder({ "docs/kiln.md": KILN, "docs/odd.png": "# In truth a text" });
    const outside = makeFolder({ "far.md": GLAZE });
    const { code } = await lodestore(folder, "ingest", "./docs/kiln.md", "docs/odd.png", join(outside, "far.md"));
    expect(code).toBe(0);
    expect(await pathsIn(folder)).toEqual(["docs/kiln.md", "docs/odd.png", "far.md"]);
  });

  test("gives files the language, tags and trust that are asked for, and chooses by include and exclude", async () => {
    const folder = makeFolder({ "a.md": KILN, "a.txt": KILN, "old/b.md": KILN });
    const options = ["--lang", "EN", "--tag", "heat", "--tag", "pottery", "--trust", "0.9", "--hidden"];
    await lodestore(folder, "ingest", ".", "--include", "*.md", "--exclude", "old", ...options);
    const page = await lodestoreJson<Page<Document>>(folder, "list");
    expect(page.items).toMatchObject([{ workspacePath: "a.md", lang: "en", tags: ["heat", "pottery"], trust: 0.9 }]);
  });

  test("never takes its own store in", async () => {
    const folder = makeFolder({ "a.md": KILN });
    await lodestore(folder, "ingest", ".", "--db", "store");
    writeFiles(folder, { "store/stray.md": GLAZE });
    const again = await lodestoreJson<IngestJson>(folder, "ingest", ".", "--db", "store");
    expect(again).toMatchObject({ added: 0, skipped: 1, leftOut: { stores: 1 } });
  });

  test("prints one object and nothing else with --json", async () => {
    const folder = makeFolder({ "docs/kiln.md": KILN });
    const { code, stdout, stderr } = await lodestore(folder, "ingest", "docs", "--json");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({ added: 1, failures: [], notSwept: null, leftOut: { nodeModules: 0 } });
  });

  test.each([
    [["ingest"], "no folder or file is named"],
    [["ingest", "nope"], "there is no nope"],
    [["ingest", "a.md", "--sweep"], "--sweep takes folders only"],
    [["ingest", ".", "--prefix", "a/../b"], "--prefix got"],
    [["ingest", ".", "--lang", "Deutsch!"], "--lang got"],
    [["ingest", ".", "--trust", "7"], "--trust got"],
    [["ingest", ".", "--max-file-mb", "0"], "--max-file-mb got"],
    [["ingest", ".", "--max-file-mb", "513"], "--max-file-mb got"],
  ])("refuses %j before it makes a store", async (args, message) => {
    const folder = makeFolder({ "a.md": KILN });
    const { code, stdout, stderr } = await lodestore(folder, ...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
    expect(existsSync(join(folder, ".lodestore"))).toBe(false);
  });
});
