import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { Store } from "../../src/contracts/store.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { damage } from "../support/damage.ts";
import { type EmbeddingStore, openEmbeddingStore } from "../support/open-embedding-store.ts";
import { openSnapshotStore } from "../support/snapshot-store-case.ts";
import { TestEmbedder } from "../support/test-embedder.ts";

vi.setConfig({ testTimeout: 240_000 });

const DOCUMENTS = 8;
const SNAPSHOT = "_vectors/chunk_embeddings_test_16.1.lhv1";
const VECTORS = "chunk_embeddings_test_16";

/** Names the `n`-th row of a table, counted round and round, by an expression that is its key. */
const nth = (key: string, table: string, n: number): string =>
  `(SELECT ${key} FROM ${table} ORDER BY ${key} LIMIT 1 OFFSET ${n} % max(1, (SELECT count(*) FROM ${table})))`;

/** Kinds of damage to rows, each done to the `n`-th of something. */
const ROWS: Record<string, (n: number) => string> = {
  "an index row gone": (n) => `DELETE FROM chunks_fts WHERE rowid = ${nth("chunk_key", "chunks", n)}`,
  "an index row of no chunk": (n) =>
    `INSERT INTO chunks_fts (rowid, heading, text, forms) VALUES (${9000 + n}, 'kiln', 'kiln', '')`,
  "lists of the index gone": (n) => `DELETE FROM chunks_fts_data WHERE id > 10 AND id % 3 = ${n % 3}`,
  "a length gone": (n) => `DELETE FROM chunks_fts_docsize WHERE id = ${nth("id", "chunks_fts_docsize", n)}`,
  "an orphaned tag": (n) => `INSERT OR IGNORE INTO document_tags (document_key, tag) VALUES (${9000 + n}, 'ghost')`,
  "an orphaned block": (n) =>
    `INSERT OR IGNORE INTO blocks SELECT ${9000 + n}, 0, block_id || '${n}', kind, heading_path, 1, 1 FROM blocks LIMIT 1`,
  "an orphaned generation": (n) =>
    `INSERT OR IGNORE INTO vector_generations (table_key, model_version, created_at) VALUES (${9000 + n}, 'ghost', 0)`,
  "no revision": () => "DELETE FROM kv WHERE key = 'corpus_revision'",
  "a revision of letters": (n) => `UPDATE kv SET value = 'r${n}' WHERE key = 'corpus_revision'`,
  "stray bytes": (n) =>
    `INSERT OR IGNORE INTO blobs (blob_key, byte_length, bytes) VALUES ('_assets/ghost${n}', 1, x'00')`,
  "an asset that no document has": (n) =>
    `INSERT OR IGNORE INTO assets (asset_id, content_hash, byte_length, media_type, blob_key, created_at)
       VALUES ('ghost${n}', 'ghost${n}', 1, 'text/plain', NULL, 0)`,
  "changes of an index that is gone": (n) =>
    `INSERT INTO vector_changes (generation_key, chunk_key) VALUES (${9000 + n}, 1)`,
  "no tombstones": () => "DROP TRIGGER IF EXISTS chunks_tombstone",
  "a record gone": (n) =>
    `DELETE FROM embedding_records WHERE embedding_id = ${nth("embedding_id", "embedding_records", n)}`,
  "a record of another chunk": (n) =>
    `UPDATE embedding_records SET chunk_id = printf('%032x', ${n}) WHERE embedding_id = ${nth("embedding_id", "embedding_records", n)}`,
  "a record that is pending": (n) =>
    `UPDATE embedding_records SET status = 'pending' WHERE embedding_id = ${nth("embedding_id", "embedding_records", n)}`,
  "a tombstone": (n) =>
    `UPDATE embedding_records SET status = 'tombstone' WHERE embedding_id = ${nth("embedding_id", "embedding_records", n)}`,
  "a vector gone": (n) => `DELETE FROM ${VECTORS} WHERE vector_key = ${nth("vector_key", VECTORS, n)}`,
  "a vector gone, and the log of it": (n) =>
    `DELETE FROM ${VECTORS} WHERE vector_key = ${nth("vector_key", VECTORS, n)}; DELETE FROM vector_changes`,
  "the log of changes gone": () => "DELETE FROM vector_changes",
};

const rowDamage = fc.record({ kind: fc.constantFrom(...Object.keys(ROWS)), n: fc.nat(40) });
const snapshotDamage = fc.oneof(
  fc.record({ kind: fc.constant("cut" as const), at: fc.double({ min: 0, max: 0.999, noNaN: true }) }),
  fc.record({ kind: fc.constant("flip" as const), at: fc.double({ min: 0, max: 0.999, noNaN: true }), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("garbage" as const), bytes: fc.uint8Array({ maxLength: 200 }) }),
  fc.record({ kind: fc.constant("gone" as const) }),
);
type SnapshotDamage = typeof snapshotDamage extends fc.Arbitrary<infer T> ? T : never;

async function harm(blobs: MemoryBlobStore, one: SnapshotDamage): Promise<void> {
  const bytes = await blobs.get(SNAPSHOT);
  switch (one.kind) {
    case "cut":
      return blobs.put(SNAPSHOT, bytes.slice(0, Math.floor(one.at * bytes.length)));
    case "flip":
      bytes[Math.floor(one.at * bytes.length)]! ^= 1 << one.bit;
      return blobs.put(SNAPSHOT, bytes);
    case "garbage":
      return blobs.put(SNAPSHOT, one.bytes);
    case "gone":
      return blobs.delete(SNAPSHOT);
  }
}

function open(file: string, blobs: MemoryBlobStore): Promise<EmbeddingStore> {
  return openEmbeddingStore({
    path: file,
    vectors: (db) => openSnapshotStore(db, blobs, { graphAbove: 8 }),
    embedder: new TestEmbedder(),
  });
}

async function fill(store: Store): Promise<void> {
  const files = Array.from({ length: DOCUMENTS }, (_, n) => ({
    path: `n${n}.md`,
    content: `# Note ${n}\n\nKiln ${n} melts.\n\n## Glaze\n\nAsh glaze ${n}.\n`,
  }));
  await store.ingest(files);
  await store.embeddings.run();
  await store.embeddings.reindex();
}

async function answers(store: Store): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const mode of ["lexical", "vector", "hybrid"] as const) {
    for (const text of ["kiln", "glaze 3 ash"]) {
      const { hits } = await store.search({ text, mode, k: 10 });
      found.push(hits.map(({ chunkId, score }) => [chunkId, score.toFixed(4)]));
    }
  }
  return found;
}

function break_(db: DatabaseSync, rows: readonly { kind: string; n: number }[]): void {
  for (const { kind, n } of rows) db.exec(ROWS[kind]!(n));
}

test("whatever was damaged of what can be made anew, a repair leaves nothing of it, and all is found as before", async () => {
  const folder = await mkdtemp(join(tmpdir(), "lodestore-repair-"));
  const sound = await open(":memory:", new MemoryBlobStore());
  await fill(sound.store);
  const expected = await answers(sound.store);
  let run = 0;
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rowDamage, { maxLength: 6 }),
        fc.option(snapshotDamage, { nil: undefined }),
        fc.boolean(),
        async (rows, snapshot, whileOpen) => {
          const file = join(folder, `${run++}.db`);
          const blobs = new MemoryBlobStore();
          let opened = await open(file, blobs);
          try {
            await fill(opened.store);
            if (!whileOpen) await opened.store.close();
            if (snapshot !== undefined) await harm(blobs, snapshot);
            damage(file, (db) => break_(db, rows));
            if (!whileOpen) opened = await open(file, blobs);
            const { store } = opened;
            const { steps, check } = await store.repair();
            expect(check.findings.filter(({ ok }) => !ok)).toEqual([]);
            expect(check.ok).toBe(true);
            expect(steps.filter(({ outcome }) => outcome !== "repaired")).toEqual([]);
            expect(await store.repair()).toMatchObject({ steps: [], check: { ok: true } });
            await store.embeddings.run();
            expect(await answers(store)).toEqual(expected);
          } finally {
            await opened.store.close();
            await rm(file, { force: true });
          }
        },
      ),
      { numRuns: 60 },
    );
  } finally {
    await sound.store.close();
    await rm(folder, { recursive: true, force: true });
  }
});
