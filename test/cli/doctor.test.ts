import { closeSync, existsSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test, vi } from "vitest";
import type { CheckFinding, OpenReport, StoreStats } from "../../src/node.ts";
import { lodestore, lodestoreJson, makeFolder, makeStore, manyNotes, start, writeFiles } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 60_000 });

interface Examination {
  ok: boolean;
  findings: CheckFinding[];
  openReport: OpenReport | null;
  stats: StoreStats | null;
}

async function storeWithFile(): Promise<{ folder: string; file: string }> {
  const folder = await makeStore(manyNotes(30));
  return { folder, file: join(folder, ".lodestore/lodestore.db") };
}

/** Changes the database behind the store's back. */
function damage<T>(file: string, work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  try {
    return work(db);
  } finally {
    db.close();
  }
}

function overwrite(file: string, offset: number, bytes: Uint8Array): void {
  const handle = openSync(file, "r+");
  writeSync(handle, bytes, 0, bytes.length, offset);
  closeSync(handle);
}

describe("lodestore doctor", () => {
  test("says that a good store is well, and what is in it", async () => {
    const { folder } = await storeWithFile();
    const text = await lodestore(folder, "doctor");
    expect(text).toMatchObject({ code: 0, stderr: "" });
    expect(text.stdout).toMatch(/^Store in .*\.lodestore\n {2}ok {7}file integrity\n/);
    expect(text.stdout).toMatch(/\n30 documents, 60 passages, .* of source\n[^]*\nAll is well\.\n$/);
    const report = await lodestoreJson<Examination>(folder, "doctor");
    expect(report).toMatchObject({ ok: true, openReport: { created: false, rebuilt: [] }, stats: { documents: 30 } });
  });

  test("names lost bytes and exits with 1", async () => {
    const { folder, file } = await storeWithFile();
    damage(file, (db) => db.exec("DELETE FROM blobs"));
    const text = await lodestore(folder, "doctor");
    expect(text.code).toBe(1);
    expect(text.stdout).toMatch(
      /\n {2}PROBLEM {2}asset bytes: bytes of asset .* are missing[^]*\nSomething is wrong\.\n$/,
    );
  });

  test("names a page that was overwritten and exits with 1", async () => {
    const { folder, file } = await storeWithFile();
    const offset = damage(file, (db) => {
      const root = db.prepare("SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = 'blobs'").get();
      const size = db.prepare("PRAGMA page_size").get();
      return (Number(root?.["rootpage"]) - 1) * Number(size?.["page_size"]);
    });
    overwrite(file, offset, new Uint8Array(512).fill(0xa5));
    const { ok, findings } = await lodestoreJson<Examination>(folder, "doctor");
    expect(ok).toBe(false);
    expect(findings.find(({ name }) => name === "file integrity")?.ok).toBe(false);
    expect(await lodestore(folder, "doctor")).toMatchObject({ code: 1 });
  });

  test("tells of a text index that opening repaired", async () => {
    const { folder, file } = await storeWithFile();
    damage(file, (db) => db.exec("DROP TABLE chunks_fts"));
    const text = await lodestore(folder, "doctor");
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/\n {2}rebuilt: text index: chunks_fts was missing\n/);
    expect(await lodestore(folder, "search", "kilns")).toMatchObject({ code: 0 });
  });

  test.each([["doctor"], ["search", "kilns"], ["list"], ["show", "n0001.md"], ["ingest", "docs"]])(
    "and every other command print the code of a store that cannot be opened: %s",
    async (...args) => {
      const { folder, file } = await storeWithFile();
      overwrite(file, 0, new Uint8Array(100).fill(0xa5));
      const text = await lodestore(folder, ...args);
      expect(text.code).toBe(3);
      expect(text.stderr).toMatch(
        new RegExp(`lodestore ${args[0] ?? ""}: .*not a database.* \\[CORRUPT\\]\nThe store is damaged\\.`),
      );
      const json = await lodestore(folder, ...args, "--json");
      expect(json.code).toBe(3);
      expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: "CORRUPT" } });
      if (args[0] === "doctor")
        expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, openReport: null, stats: null });
      else expect(json.stdout).toBe("");
    },
  );

  test("refuses a file that is another program's database, and a store from the future, by name", async () => {
    const folder = makeFolder({ "other/x": "", "docs/a.md": "# A\n\nkiln" });
    damage(join(folder, "other/lodestore.db"), (db) => db.exec("CREATE TABLE t (x)"));
    const other = await lodestore(folder, "doctor", "--db", "other");
    expect([other.code, other.stderr]).toEqual([3, expect.stringContaining("[BAD_FORMAT]")]);

    await lodestore(folder, "ingest", "docs");
    damage(join(folder, ".lodestore/lodestore.db"), (db) =>
      db.exec("INSERT INTO schema_migrations (version, name, sha256, applied_at) VALUES (999, 'V999__future', 'x', 0)"),
    );
    const future = await lodestore(folder, "search", "kiln");
    expect([future.code, future.stderr]).toEqual([3, expect.stringContaining("[SCHEMA_TOO_NEW]")]);
    expect(future.stderr).toContain("update lodestore");
  });

  test("says when the place of the store is no folder", async () => {
    const folder = makeFolder({ "a.md": "# A", file: "" });
    const { code, stderr } = await lodestore(folder, "ingest", "a.md", "--db", "file");
    expect([code, stderr]).toEqual([3, expect.stringMatching(/the folder .*file cannot be made: .* \[DRIVER\]/)]);
  });
});

describe("a store that is not there", () => {
  test.each([["search", "kiln"], ["list"], ["show", "a.md"], ["doctor"]])("is not made by %s", async (...args) => {
    const folder = makeFolder();
    const text = await lodestore(folder, ...args);
    expect(text).toMatchObject({ code: 3, stdout: "" });
    expect(text.stderr).toMatch(/there is no store in .*\.lodestore\nMake one: lodestore ingest <folder>/);
    const json = await lodestore(folder, ...args, "--json");
    expect(json).toMatchObject({ code: 3, stdout: "" });
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: "NOT_FOUND", operation: args[0] } });
    expect(existsSync(join(folder, ".lodestore"))).toBe(false);
  });

  test("is found by --db before LODESTORE_DB", async () => {
    const folder = makeFolder({ "docs/a.md": "# A\n\nkiln" });
    await lodestore(folder, "ingest", "docs", "--db", "one");
    writeFiles(folder, { "docs/b.md": "# B\n\nkiln" });
    await lodestore(folder, "ingest", "docs", "--db", "two");
    const env = { LODESTORE_DB: "one" };
    expect((await start(folder, ["list"], { env }).ended).stderr).toBe("1 document\n");
    expect((await start(folder, ["list", "--db", "two"], { env }).ended).stderr).toBe("2 documents\n");
  });
});
