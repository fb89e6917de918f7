import { execFile, execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { loadLance } from "../../src/drivers/lance/lance-module.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import type { LanceVectorStore } from "../../src/drivers/vectors-lance.ts";
import { StorageError } from "../../src/errors.ts";
import { migrate } from "../../src/sql/migrate.ts";
import { storeFunctions as functions } from "../../src/store/schema-functions.ts";
import { filledStore, type FilledStore } from "../conformance/vector-store/filled-store.ts";
import type { LanceOrder } from "../support/lance-child.ts";
import { lanceVectors, temporaryFolder } from "../support/lance-vectors.ts";
import { openEmbeddingStore } from "../support/open-embedding-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { programFile } from "../support/programs.ts";

const run = promisify(execFile);
const CHILD = programFile("test/support/lance-child.ts");
const ask = { modelVersion: "1", k: 100 };

let folder: ReturnType<typeof temporaryFolder>;
let db: SqlDatabase;
let vectors: LanceVectorStore;
beforeEach(async () => {
  folder = temporaryFolder();
  db = await openSqlNode({ path: join(folder.path, "lodestore.db"), functions });
  await migrate(db);
  vectors = lanceVectors(db, dir());
});
afterEach(async () => {
  await vectors.close();
  await db.close();
  folder.remove();
});

const dir = (): string => join(folder.path, "vectors");
const fill = (count = 30): Promise<FilledStore> => filledStore({ vectors, db, close: async () => {} }, { count });
const tableFolder = ({ table }: FilledStore): string => join(dir(), `${table.tableName}.lance`);

/** The table as a store sees it that has not read it yet. */
async function reopened(): Promise<LanceVectorStore> {
  await vectors.close();
  vectors = lanceVectors(db, dir());
  return vectors;
}

async function failureOf(work: Promise<unknown>): Promise<StorageError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StorageError);
  return error as StorageError;
}

test("without the packages it says what to install", { timeout: 30_000 }, async () => {
  const apart = mkdtempSync(join(tmpdir(), "lodestore-without-lance-"));
  cpSync(fileURLToPath(new URL("../../src", import.meta.url)), join(apart, "src"), { recursive: true });
  writeFileSync(join(apart, "package.json"), '{ "type": "module" }');
  const url = pathToFileURL(join(apart, "src/drivers/vectors-lance.ts")).href;
  const program = `const { openLanceVectors } = await import(${JSON.stringify(url)});
    await openLanceVectors({}, { dir: "x" }).catch(({ name, code, message }) => console.log(JSON.stringify({ name, code, message })));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], { cwd: apart });
  rmSync(apart, { recursive: true });
  expect(JSON.parse(stdout)).toMatchObject({
    name: "StorageError",
    code: "UNSUPPORTED",
    message: expect.stringContaining('Run "npm install @lancedb/lancedb@0.31.0 apache-arrow@18.1.0"') as string,
  });
});

describe("a table that was deleted from outside", () => {
  for (const when of ["while it was open", "while nobody had it open"]) {
    test(`${when} is missed, and made anew once nothing is left of it`, async () => {
      const filled = await fill();
      const { table, records, corpus } = filled;
      rmSync(tableFolder(filled), { recursive: true });
      const now = when === "while it was open" ? vectors : await reopened();
      const lost = {
        code: "CORRUPT",
        message: expect.stringMatching(/not in its folder.*lodestore doctor --fix/u) as string,
      };
      await expect(now.search(table.indexId, records[0]!.vector, ask)).rejects.toMatchObject(lost);
      await expect(now.searchBatch(table.indexId, [records[0]!.vector], ask)).rejects.toMatchObject(lost);
      await expect(now.upsert(table.indexId, records.slice(0, 1))).rejects.toMatchObject(lost);
      await expect(now.ensureTable({ modelId: "test", dimensions: 17 })).rejects.toMatchObject(lost);
      await expect(now.selfCheck(table.indexId, "1")).rejects.toMatchObject(lost);
      expect(await now.tables()).toEqual([table]);
      expect(await now.info(table.indexId)).toMatchObject({ lastError: { code: "CORRUPT" } });
      expect(await now.count(table.indexId)).toBe(0);
      expect(await now.batchExists(table.indexId, [records[0]!.embeddingId])).toEqual([false]);
      expect(await now.deleteByChunkIds(table.indexId, [records[0]!.chunkId])).toBe(0);
      await corpus.forget(records);
      await now.upsert(table.indexId, records.slice(0, 3));
      await corpus.mark(table, records.slice(0, 3));
      expect((await now.search(table.indexId, records[0]!.vector, ask)).hits).toHaveLength(3);
    });
  }

  test("comes back by a sweep and a run, with every chunk", async () => {
    await using opened = await openEmbeddingStore({
      vectors: (over) => lanceVectors(over, dir()),
      embedder: new TestEmbedder(),
    });
    const { store } = opened;
    const files = Array.from({ length: 6 }, (_, n) => ({ path: `${n}.md`, content: `# Kiln ${n}\n\nGlaze ${n}.` }));
    await store.ingest(files, { embed: "wait" });
    const query = { text: "kiln", mode: "vector", k: 100, fresh: true } as const;
    const { hits } = await store.search(query);
    expect(hits.length).toBeGreaterThanOrEqual(6);
    for (const name of readdirSync(dir())) rmSync(join(dir(), name), { recursive: true });
    await expect(store.search(query)).rejects.toMatchObject({ code: "CORRUPT" });
    expect((await store.search({ text: "kiln" })).hits.length).toBeGreaterThanOrEqual(6);
    expect((await store.check()).findings.filter(({ ok }) => !ok)).not.toEqual([]);
    const more = await store.ingest({ path: "7.md", content: "# New\n\nOne." }, { embed: "wait" });
    expect(more.embedding).toMatchObject({ code: "CORRUPT" });
    expect(await store.embeddings.sweep()).toMatchObject({ lost: hits.length });
    await store.embeddings.run();
    expect((await store.search(query)).hits).toHaveLength(hits.length + 1);
    expect((await store.check()).findings.filter(({ ok }) => !ok)).toEqual([]);
  });
});

describe("files of a table", () => {
  const data = (filled: FilledStore): string[] =>
    readdirSync(join(tableFolder(filled), "data")).map((name) => join(tableFolder(filled), "data", name));
  const manifests = (filled: FilledStore): string[] =>
    readdirSync(join(tableFolder(filled), "_versions"))
      .filter((name) => name.endsWith(".manifest"))
      .map((name) => join(tableFolder(filled), "_versions", name));
  const each = (paths: string[], damage: (path: string) => void): void => {
    for (const path of paths) damage(path);
  };

  test.each<[string, (filled: FilledStore) => void]>([
    ["data that are deleted", (filled) => each(data(filled), (path) => rmSync(path))],
    ["data that are cut", (filled) => each(data(filled), (path) => truncateSync(path, 100))],
    ["data that are empty", (filled) => each(data(filled), (path) => truncateSync(path, 0))],
    [
      "data that are something else",
      (filled) => each(data(filled), (path) => writeFileSync(path, Buffer.alloc(5000, 7))),
    ],
    ["manifests that are cut", (filled) => each(manifests(filled), (path) => truncateSync(path, 20))],
    [
      "manifests that are something else",
      (filled) => each(manifests(filled), (path) => writeFileSync(path, Buffer.alloc(900, 9))),
    ],
    [
      "a file in the place of the folder",
      (filled) => {
        rmSync(tableFolder(filled), { recursive: true });
        writeFileSync(tableFolder(filled), "hello");
      },
    ],
  ])("are CORRUPT: %s", async (_, damage) => {
    const filled = await fill();
    damage(filled);
    const again = await reopened();
    const error = await failureOf(again.search(filled.table.indexId, filled.records[0]!.vector, ask));
    expect([error.code, error.message]).toEqual(["CORRUPT", expect.stringContaining("lodestore doctor --fix")]);
    expect(error.message).toContain(filled.table.tableName);
    expect(error.cause).toBeInstanceOf(Error);
    // It is found by reading, and only moved where that is asked for.
    const { indexId } = filled.table;
    const found = { problem: expect.stringContaining(filled.table.tableName) as string, movedTo: null };
    expect(await again.setAsideDamaged(indexId, { dryRun: true })).toEqual(found);
    const movedTo = `${filled.table.tableName}.lance.damaged`;
    expect(await again.setAsideDamaged(indexId)).toEqual({ ...found, movedTo });
    expect(existsSync(tableFolder(filled))).toBe(false);
    expect(existsSync(join(tableFolder(filled), "..", movedTo))).toBe(true);
    expect(await again.setAsideDamaged(indexId)).toBeUndefined();
  });

  test("are moved aside by a repair, which says what to do, and the next run makes the vectors anew", async () => {
    await using opened = await openEmbeddingStore({
      vectors: (over) => lanceVectors(over, dir()),
      embedder: new TestEmbedder(),
    });
    const { store } = opened;
    const files = Array.from({ length: 6 }, (_, n) => ({ path: `${n}.md`, content: `# Kiln ${n}\n\nGlaze ${n}.` }));
    await store.ingest(files, { embed: "wait" });
    const query = { text: "kiln", mode: "vector", k: 100, fresh: true } as const;
    const { hits } = await store.search(query);
    const tables = (): string[] => readdirSync(dir()).filter((one) => one.startsWith("chunk_embeddings"));
    const [folderName = ""] = tables();
    const dataOf = join(dir(), folderName, "data");
    for (const name of readdirSync(dataOf)) truncateSync(join(dataOf, name), 100);
    const exporting = (async () => {
      for await (const piece of store.export()) void piece;
    })();
    await expect(exporting).rejects.toMatchObject({
      code: "CORRUPT",
      message: expect.stringContaining("lodestore doctor --fix") as string,
    });
    expect((await store.check()).ok).toBe(false);
    const name = `vector table ${folderName.replace(".lance", "")}`;
    const planned = await store.repair({ dryRun: true });
    expect(planned.steps.map((step) => [step.name, step.outcome])).toEqual([
      ["vectors in step with embedding records", "planned"],
      [name, "planned"],
    ]);
    expect(tables()).toEqual([folderName]);
    const repaired = await store.repair();
    expect(repaired.steps[0]).toMatchObject({ name, outcome: "repaired" });
    expect(repaired.steps.filter(({ outcome }) => outcome === "left")).toEqual([]);
    expect(repaired.sweep).toMatchObject({ lost: hits.length });
    expect(repaired.check.ok).toBe(true);
    expect(tables()).toEqual([`${folderName}.damaged`]);
    await store.embeddings.run();
    expect((await store.search(query)).hits).toHaveLength(hits.length);
    for await (const piece of store.export()) void piece;
    expect(await store.repair()).toMatchObject({ steps: [], check: { ok: true } });
  });

  test("that a newer Lance wrote are refused as such", async () => {
    const filled = await fill();
    // The flags that a reader must know: field 9 of the manifest, which is the last thing before the 16 bytes at the end of its file.
    for (const path of manifests(filled)) {
      const bytes = readFileSync(path);
      const at = Number(bytes.readBigUInt64LE(bytes.length - 16));
      const flags = Buffer.from([9 << 3, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.readUInt32LE(at) + flags.length);
      writeFileSync(
        path,
        Buffer.concat([bytes.subarray(0, at), length, bytes.subarray(at + 4, -16), flags, bytes.subarray(-16)]),
      );
    }
    const again = await reopened();
    const error = await failureOf(again.search(filled.table.indexId, filled.records[0]!.vector, ask));
    expect([error.code, error.message]).toEqual(["SCHEMA_TOO_NEW", expect.stringMatching(/newer version of Lance/u)]);
  });

  test.each([
    ["a newer format of the store", { "lodestore:format": "2" }, "SCHEMA_TOO_NEW", /has format 2/u],
    [
      "another model",
      { "lodestore:format": "1", "lodestore:model": "other", "lodestore:metric": "cosine" },
      "BAD_FORMAT",
      /"other"/u,
    ],
    ["somebody else", {}, "BAD_FORMAT", /not one of the store's/u],
  ])("that are of %s are refused as such", async (_, metadata, code, says) => {
    const { lance, arrow } = await loadLance();
    const { indexId, tableName } = await vectors.ensureTable({ modelId: "test", dimensions: 2 });
    await vectors.close();
    rmSync(join(dir(), `${tableName}.lance`), { recursive: true });
    const connection = await lance.connect(dir());
    const field = new arrow.Field("chunk_id", new arrow.Utf8(), false);
    (
      await connection.createEmptyTable(tableName, new arrow.Schema([field], new Map(Object.entries(metadata))))
    ).close();
    connection.close();
    const error = await failureOf((await reopened()).count(indexId));
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(says)]);
  });
});

test(
  "in a folder that cannot be written to reads go on and writes are refused, and nothing is lost",
  { timeout: 30_000 },
  async () => {
    const filled = await fill();
    await db.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;");
    const order: LanceOrder = {
      file: join(folder.path, "lodestore.db"),
      dir: dir(),
      task: "as nobody",
      count: 30,
      value: 1,
    };
    execFileSync("chmod", ["-R", "a+rX", folder.path]);
    if (process.getuid?.() !== 0) execFileSync("chmod", ["-R", "a-w", dir()]);
    const { stdout } = await run(process.execPath, [CHILD, JSON.stringify(order)]);
    if (process.getuid?.() !== 0) execFileSync("chmod", ["-R", "u+w", dir()]);
    chmodSync(folder.path, 0o700);
    expect(JSON.parse(stdout)).toEqual({
      before: 30,
      failure: { code: "UNSUPPORTED", message: expect.stringContaining(filled.table.tableName) as string },
      after: 30,
    });
    expect((await vectors.search(filled.table.indexId, filled.records[0]!.vector, ask)).hits).toHaveLength(30);
  },
);

test("on a full disk a write says QUOTA_EXCEEDED, and what was there is found", async ({ skip }) => {
  mkdirSync(dir());
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", dir()], { stdio: "ignore" });
  } catch {
    return skip("only the superuser may mount a small file system");
  }
  try {
    const { table, corpus, records, oracle } = await filledStore(
      { vectors, db, close: async () => {} },
      { count: 40, dimensions: 1024 },
    );
    const failures: unknown[] = [];
    for (let round = 0; round < 100 && failures.length === 0; round++) {
      const again = records.map(({ vector }, at) => corpus.record(table, at, vector));
      await vectors.upsert(table.indexId, again).catch((error: unknown) => failures.push(error));
    }
    expect(failures[0]).toMatchObject({ name: "StorageError", code: "QUOTA_EXCEEDED", operation: "upsert" });
    const query = records[0]!.vector;
    oracle.expectExact((await vectors.search(table.indexId, query, ask)).hits, query, 100);
    const again = await reopened();
    oracle.expectExact((await again.search(table.indexId, query, ask)).hits, query, 100);
    await again.close();
  } finally {
    execFileSync("umount", ["-l", dir()]);
  }
});
