import { expect, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { RepairProgress, RepairReport, Store } from "../../src/contracts/store.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { StorageError } from "../../src/errors.ts";
import { openEmbeddingStore } from "../support/open-embedding-store.ts";
import { openSnapshotStore, resigned } from "../support/snapshot-store-case.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { flatVectors } from "../support/vector-stores.ts";

const SNAPSHOT = "_vectors/chunk_embeddings_test_16.1.lhv1";

interface Subject extends AsyncDisposable {
  store: Store;
  db: SqlDatabase;
  blobs: MemoryBlobStore;
}

/** A store with a few documents, their embeddings, and an index with a graph and a snapshot. */
async function filled(): Promise<Subject> {
  const blobs = new MemoryBlobStore();
  const opened = await openEmbeddingStore({
    vectors: (db) => openSnapshotStore(db, blobs),
    embedder: new TestEmbedder(),
  });
  const { store, db } = opened;
  for (let n = 0; n < 12; n++) {
    await store.ingest({
      path: `n${n}.md`,
      content: `# Note ${n}\n\nKiln ${n} melts.\n\n## Glaze\n\nAsh glaze ${n}.\n`,
    });
  }
  await store.embeddings.run();
  await store.embeddings.reindex();
  return { store, db, blobs, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

async function withoutForeignKeys(db: SqlDatabase, ...statements: string[]): Promise<void> {
  await db.exec(`PRAGMA foreign_keys = OFF; ${statements.join("; ")}; PRAGMA foreign_keys = ON;`);
}

function outcomes({ steps }: RepairReport): string[][] {
  return steps.map(({ name, outcome }) => [name, outcome]);
}

async function bad(store: Store): Promise<string[]> {
  const { ok, findings } = await store.check();
  const names = findings.filter((one) => !one.ok).map(({ name }) => name);
  expect(ok).toBe(names.length === 0);
  return names;
}

test("a sound store has nothing to repair, and says how its index is", async () => {
  await using subject = await filled();
  const { store } = subject;
  const { ok, findings } = await store.check();
  expect(ok).toBe(true);
  const index = findings.find(({ name }) => name === "vector index chunk_embeddings_test_16 version 1");
  expect(index?.detail).toMatch(
    /^ok; 24 vectors, hnsw with 24 linked, recall@10 1\.00, snapshot verified, at change \d+, 0 behind$/,
  );
  const report = await store.repair();
  expect(report).toMatchObject({ dryRun: false, steps: [], check: { ok: true }, sweep: { lost: 0, orphans: 0 } });
});

test.each<[string, (subject: Subject) => Promise<unknown>, string[]]>([
  [
    "index rows that were exchanged",
    ({ db }) =>
      db.exec(`DELETE FROM chunks_fts WHERE rowid = 2;
        INSERT INTO chunks_fts (rowid, heading, text, forms) VALUES (9999, 'ghost', 'ghost', '')`),
    ["text index in step with chunks"],
  ],
  [
    "chunks, blocks and tags without their document",
    ({ db }) =>
      withoutForeignKeys(
        db,
        "INSERT INTO document_tags (document_key, tag) VALUES (9999, 'ghost')",
        "INSERT INTO blocks SELECT 9999, ordinal, block_id || 'x', kind, heading_path, line_start, line_end FROM blocks WHERE document_key = 1",
        `INSERT INTO chunks SELECT chunk_key + 9000, substr(chunk_id, 2) || 'g', 9999, ordinal, block_ids, heading_path, heading_text, text,
           line_start, line_end, token_count, chunker_version, policy_hash FROM chunks WHERE document_key = 1`,
      ),
    ["foreign keys"],
  ],
  [
    "a corpus revision that is no number",
    ({ db }) => db.run("UPDATE kv SET value = 'many' WHERE key = 'corpus_revision'"),
    ["corpus revision"],
  ],
  [
    "a corpus revision that cannot be raised",
    ({ db }) => db.run("UPDATE kv SET value = '99999999999999999999' WHERE key = 'corpus_revision'"),
    ["corpus revision"],
  ],
  [
    "bytes that no asset has",
    ({ db }) => db.run("INSERT INTO blobs (blob_key, byte_length, bytes) VALUES ('_assets/ghost', 1, x'00')"),
    ["bytes that no asset has"],
  ],
  [
    "records whose chunks went without a trace",
    ({ db }) =>
      db.run("UPDATE embedding_records SET chunk_id = '0' || substr(chunk_id, 2) WHERE chunk_id NOT LIKE '0%'"),
    ["embedding records"],
  ],
  [
    "vectors that were deleted, and the log of it",
    ({ db }) => db.exec("DELETE FROM chunk_embeddings_test_16 WHERE vector_key IN (2, 3); DELETE FROM vector_changes"),
    ["vectors in step with embedding records", "vector index chunk_embeddings_test_16 version 1"],
  ],
  [
    "vectors whose records were deleted",
    ({ db }) =>
      db.run("DELETE FROM embedding_records WHERE chunk_id IN (SELECT chunk_id FROM chunks WHERE chunk_key < 4)"),
    ["vectors in step with embedding records"],
  ],
  [
    "vectors and a record of a document that went without its tombstones",
    async ({ db, store }) => {
      await db.exec("DROP TRIGGER chunks_tombstone; DROP TRIGGER chunks_ad");
      await store.documents.purgeOrphanAtWorkspacePath("n3.md");
      const content = "# Note 3\n\nKiln 3 melts.\n\n## Glaze\n\nAsh glaze 3.\n";
      // Back again: other keys, and the index rows of before belong to nothing.
      await store.ingest({ path: "n3.md", content });
      await db.run(
        "UPDATE embedding_records SET chunk_id = '0' || substr(chunk_id, 2) WHERE chunk_id IN (SELECT chunk_id FROM chunks WHERE chunk_key > 24)",
      );
    },
    ["triggers of the schema", "text index in step with chunks", "embedding records"],
  ],
  [
    "an asset that no document has",
    ({ db }) =>
      db.exec(`INSERT INTO assets (asset_id, content_hash, byte_length, media_type, blob_key, created_at)
          VALUES ('ghost', 'ghost', 1, 'text/plain', '_assets/ghost', 0);
        INSERT INTO blobs (blob_key, byte_length, bytes) VALUES ('_assets/ghost', 1, x'00')`),
    ["assets that no document has"],
  ],
  [
    "changes of a vector index that is gone",
    ({ db }) => db.run("INSERT INTO vector_changes (generation_key, chunk_key) VALUES (77, 1), (77, 2)"),
    ["leftovers of vector indexes"],
  ],
  [
    "a pending record whose chunk is gone",
    ({ db }) =>
      db.run(`INSERT INTO embedding_records (embedding_id, chunk_id, document_id, model_id, model_version, dimensions, created_at,
          updated_at, status) VALUES ('${"e".repeat(32)}', '${"c".repeat(32)}', '${"d".repeat(32)}', 'test', '1', 16, 0, 0, 'pending')`),
    ["embedding records"],
  ],
  [
    "a snapshot that was cut",
    async ({ blobs }) => blobs.put(SNAPSHOT, (await blobs.get(SNAPSHOT)).slice(0, 900)),
    ["vector index chunk_embeddings_test_16 version 1"],
  ],
  [
    "a snapshot with a bit flipped",
    async ({ blobs }) => {
      const bytes = await blobs.get(SNAPSHOT);
      bytes[bytes.length - 5]! ^= 4;
      await blobs.put(SNAPSHOT, bytes);
    },
    ["vector index chunk_embeddings_test_16 version 1"],
  ],
  [
    "a snapshot of a database that is newer",
    async ({ blobs }) => blobs.put(SNAPSHOT, resigned(await blobs.get(SNAPSHOT), { envelope: { revision: 9999 } })),
    ["vector index chunk_embeddings_test_16 version 1"],
  ],
])("%s: found, left by a dry run, repaired, and found no more", async (_, damage, names) => {
  await using subject = await filled();
  const { store, db } = subject;
  await damage(subject);
  expect(await bad(store)).toEqual(names);
  const planned = await store.repair({ dryRun: true });
  expect(outcomes(planned)).toEqual(names.map((name) => [name, "planned"]));
  expect(await bad(store)).toEqual(names);
  const seen: RepairProgress[] = [];
  const report = await store.repair({ onProgress: (progress) => seen.push(progress) });
  expect(report.check.ok).toBe(true);
  expect(outcomes(report).filter(([, outcome]) => outcome !== "repaired")).toEqual([]);
  expect(report.steps.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  expect(seen.at(-1)).toMatchObject({ doing: "looking again" });
  expect(await bad(store)).toEqual([]);
  // What was lost is embedded anew, and then everything is found as in a store that never was damaged.
  await store.embeddings.run();
  await using sound = await filled();
  expect(await answers(store)).toEqual(await answers(sound.store));
  expect(await db.get("SELECT count(*) AS n FROM chunks")).toEqual({ n: 24 });
});

async function answers(store: Store): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const mode of ["lexical", "vector", "hybrid"] as const) {
    const { hits } = await store.search({ text: "kiln glaze 3", mode, k: 10 });
    found.push(hits.map(({ chunkId, score }) => [chunkId, score.toFixed(4)]));
  }
  return found;
}

test("a new corpus revision is greater than any that somebody may remember", async () => {
  await using subject = await filled();
  const { store, db } = subject;
  const before = await store.documents.corpusRevision();
  await db.run("DELETE FROM kv WHERE key = 'corpus_revision'");
  await db.run(
    `INSERT INTO answers (answer_id, query, mode, answer, citations, corpus_revision, created_at)
     VALUES ('a', 'q', 'lexical', 'a', '[]', 9007199254740000, 0)`,
  );
  await store.repair();
  const after = await store.documents.corpusRevision();
  expect(after).toBeGreaterThan(before);
  expect(after).toBe(9_007_199_254_740_001);
});

test("what cannot be repaired is named with what to do, and doing that mends it", async () => {
  await using subject = await filled();
  const { store, db } = subject;
  await withoutForeignKeys(
    db,
    "DELETE FROM blobs WHERE rowid = 1",
    "DELETE FROM blocks WHERE document_key = 2 AND ordinal = 1",
    "DELETE FROM chunks WHERE document_key = 3 AND ordinal = 0",
    "DELETE FROM assets WHERE asset_id = (SELECT asset_id FROM documents WHERE workspace_path = 'n4.md')",
  );
  const report = await store.repair();
  expect(report.check.ok).toBe(false);
  const left = report.steps.filter(({ outcome }) => outcome === "left");
  expect(left).toEqual([
    { name: "foreign keys", outcome: "left", detail: "take these files in again: n4.md" },
    { name: "whole documents", outcome: "left", detail: "take these files in again: n1.md, n2.md" },
    { name: "asset bytes", outcome: "left", detail: "take these files in again: n0.md" },
  ]);
  for (const n of [0, 1, 2, 4]) {
    const content = `# Note ${n}\n\nKiln ${n} melts.\n\n## Glaze\n\nAsh glaze ${n}.\n`;
    expect(await store.ingest({ path: `n${n}.md`, content })).toMatchObject({ skipped: 0, failures: [] });
    expect(await store.ingest({ path: `n${n}.md`, content })).toMatchObject({ skipped: 1 });
  }
  expect((await store.repair()).check.ok).toBe(true);
});

test("chat of a session that is gone is not thrown away", async () => {
  await using subject = await filled();
  const { store, db } = subject;
  await withoutForeignKeys(
    db,
    `INSERT INTO chat_turns (turn_id, session_id, turn_index, role, content, created_at) VALUES ('t', 's', 0, 'user', 'hello', 0)`,
  );
  const report = await store.repair();
  expect(report.steps).toMatchObject([{ name: "foreign keys", outcome: "left" }]);
  expect(report.steps[0]?.detail).toContain("put back a backup");
  expect(await db.get("SELECT content FROM chat_turns")).toEqual({ content: "hello" });
});

test("a table of vectors that lost its place in the register is made anew", async () => {
  await using subject = await filled();
  const { store, db } = subject;
  await withoutForeignKeys(db, "DELETE FROM vector_tables");
  expect(await bad(store)).toEqual([
    "foreign keys",
    "leftovers of vector indexes",
    "vectors in step with embedding records",
  ]);
  expect((await store.repair()).check.ok).toBe(true);
  expect(await store.embeddings.run()).toMatchObject({ embedded: 24, serving: "1" });
  expect(await bad(store)).toEqual([]);
  const { hits } = await store.search({ text: "kiln", mode: "vector", k: 3 });
  expect(hits).toHaveLength(3);
});

test("embeddings that a crash left half-written are swept at once", async () => {
  await using subject = await filled();
  const { store, db } = subject;
  await db.run(
    "UPDATE embedding_records SET status = 'pending', updated_at = $1 WHERE chunk_id IN (SELECT chunk_id FROM chunks WHERE chunk_key < 6)",
    [Date.now()],
  );
  expect(await bad(store)).toEqual([]);
  expect((await store.repair({ dryRun: true })).sweep).toMatchObject({ dryRun: true, pending: 5 });
  expect((await store.repair()).sweep).toMatchObject({ dryRun: false, pending: 5, more: false });
  expect((await store.embeddings.status()).generations).toMatchObject([{ committed: 19, pending: 0 }]);
  expect(await store.embeddings.run()).toMatchObject({ embedded: 5 });
});

test("vectors that cannot be read keep nothing else from being repaired", async () => {
  await using opened = await openEmbeddingStore({
    vectors: (db) => {
      const vectors = flatVectors(db);
      const damaged = new StorageError("CORRUPT", "the files are damaged", {
        capability: "vectors",
        operation: "examine",
      });
      return Object.assign(vectors, { examine: () => Promise.reject(damaged) });
    },
    embedder: new TestEmbedder(),
  });
  const { store, db } = opened;
  await store.ingest({ path: "a.md", content: "# A\n\nash glaze" }, { embed: "wait" });
  await db.run("DELETE FROM chunks_fts WHERE rowid IN (SELECT chunk_key FROM chunks)");
  expect(await bad(store)).toEqual(["text index in step with chunks", "vector indexes"]);
  const planned = await store.repair({ dryRun: true });
  expect(outcomes(planned)).toEqual([
    ["text index in step with chunks", "planned"],
    ["vector indexes", "left"],
  ]);
  const report = await store.repair();
  expect(outcomes(report)).toEqual([
    ["text index in step with chunks", "repaired"],
    ["vector indexes", "left"],
  ]);
  expect(report.steps.at(-1)?.detail).toBe("the files are damaged [CORRUPT]");
  expect(await bad(store)).toEqual(["vector indexes"]);
});

test("a repair that is aborted, or whose store closes, says so", async () => {
  await using subject = await filled();
  const { store } = subject;
  const aborted = store.repair({ signal: AbortSignal.abort(new Error("enough")) });
  await expect(aborted).rejects.toMatchObject({ code: "ABORTED", operation: "repair" });
  const controller = new AbortController();
  const midway = store.repair({ signal: controller.signal, onProgress: () => controller.abort() });
  await expect(midway).rejects.toMatchObject({ code: "ABORTED" });
  const [running] = await Promise.allSettled([store.repair(), store.close()]);
  expect(running).toMatchObject({ status: "rejected", reason: { code: "CLOSED" } });
  await expect(store.repair()).rejects.toMatchObject({ code: "CLOSED" });
});

test.each([
  ["dryRun", { dryRun: "yes" }],
  ["signal", { signal: 5 }],
  ["onProgress", { onProgress: true }],
  ["force", { force: true }],
])("a repair refuses a wrong %s", async (field, options) => {
  await using subject = await filled();
  await expect(subject.store.repair(options as never)).rejects.toMatchObject({
    code: "INVALID_INPUT",
    message: expect.stringContaining(field) as string,
  });
});
