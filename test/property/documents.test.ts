import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SqlDatabase, SqlExecutor } from "../../src/contracts/sql.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { SqlDocumentStore } from "../../src/store/documents/sql-document-store.ts";
import { embeddingId } from "../../src/store/ids.ts";
import { DocumentModel, MODEL_FILTERS, type SampleFields } from "../support/document-model.ts";
import { sqlDatabases } from "../support/sql-databases.ts";

const PATHS = ["a.md", "b/a.md", "b/c.txt", "b/d/e.md", "Z.md"];
const WORDS = ["apple", "berry", "cherry", "apple berry", "part"];
const TITLES = ["Sample", "", "Meadow", "apple Field"];
const TEXT_WORDS = ["apple", "berry", "cherry", "part"];
const HEADING_WORDS = ["sample", "meadow", "apple", "field", "part", "0", "1"];

interface Put extends SampleFields {
  kind: "put";
  path: string;
  words: string[];
}
type Step =
  | Put
  | { kind: "delete" | "purge" | "embed" | "again"; path: string }
  | { kind: "retag"; path: string; tags: string[] }
  | { kind: "retitle"; path: string; title: string }
  | { kind: "keep"; path: string; every: number }
  | { kind: "rebuild" };
type Group = Step | { kind: "group"; steps: Step[]; fails: boolean };

const path = fc.constantFrom(...PATHS);
const title = fc.constantFrom(...TITLES);
const tags = fc.subarray(["red", "green", "blue"], { maxLength: 2 });
const put: fc.Arbitrary<Put> = fc.record({
  kind: fc.constant("put" as const),
  path,
  title,
  tags,
  words: fc.array(fc.constantFrom(...WORDS), { maxLength: 3 }),
  trust: fc.constantFrom(0, 0.5, 1),
  lang: fc.constantFrom(null, "en", "zh", "zh-cn"),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: put },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("delete", "purge", "embed", "embed", "again"), path }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("retag" as const), path, tags }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("retitle" as const), path, title }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("keep" as const), path, every: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "rebuild" as const }) },
);
const group: fc.Arbitrary<Group> = fc.oneof(
  { weight: 5, arbitrary: step },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("group" as const),
      steps: fc.array(step, { maxLength: 6 }),
      fails: fc.boolean(),
    }),
  },
);

/** Takes one step in the store and in the model. */
async function take(step: Step, store: SqlDocumentStore, tx: SqlExecutor, model: DocumentModel): Promise<void> {
  if (step.kind === "rebuild") return store.rebuildChunksFts();
  const here = model.byPath.get(step.path);
  switch (step.kind) {
    case "put": {
      const { kind: _, path: where, words, ...fields } = step;
      await store.putWhole(DocumentModel.sample(where, words, fields));
      model.put(where, words, fields);
      return;
    }
    case "again":
      if (here === undefined) return;
      await store.putDocument(here.document);
      await store.putChunks(here.document.id, here.chunks);
      return;
    case "delete":
      expect(await store.deleteDocument(here?.document.id ?? "none")).toBe(here !== undefined);
      model.remove(step.path);
      return;
    case "purge": {
      const ids = here?.chunks.map((chunk) => chunk.id) ?? [];
      expect(await store.staleChunkIdsAt(step.path)).toEqual(ids);
      expect(await store.purgeOrphanAtWorkspacePath(step.path)).toEqual(ids);
      model.remove(step.path);
      return;
    }
    case "retag":
    case "retitle": {
      if (here === undefined) return;
      const fields = step.kind === "retag" ? { tags: [...step.tags].sort() } : { title: step.title };
      await store.putDocument({ ...here.document, ...fields });
      model.change(step.path, fields);
      return;
    }
    case "keep": {
      if (here === undefined) return;
      const kept = here.chunks
        .filter((_, index) => index % step.every === 0)
        .map((chunk, ordinal) => ({ ...chunk, ordinal }));
      await store.putChunks(here.document.id, kept);
      model.replaceChunks(step.path, kept);
      return;
    }
    case "embed":
      for (const chunk of here?.chunks ?? []) await commitEmbedding(tx, chunk.id, chunk.documentId);
      model.embed(step.path);
  }
}

function commitEmbedding(tx: SqlExecutor, chunkId: string, documentId: string): Promise<unknown> {
  const id = embeddingId({ chunkId, modelId: "m", modelVersion: "1", dimensions: 8 });
  return tx.run(
    `INSERT INTO embedding_records (embedding_id, chunk_id, document_id, model_id, model_version, dimensions, created_at, updated_at, status)
     VALUES ($1, $2, $3, 'm', '1', 8, 0, 0, 'committed') ON CONFLICT (embedding_id) DO UPDATE SET status = 'committed'`,
    [id, chunkId, documentId],
  );
}

async function expectSame(db: SqlDatabase, store: SqlDocumentStore, model: DocumentModel): Promise<void> {
  for (const [filter, takes] of MODEL_FILTERS) {
    const expected = model.listed(takes);
    expect((await store.listDocuments(filter)).items).toEqual(expected);
    expect(await store.countDocuments(filter)).toBe(expected.length);
  }
  for (const { document, chunks } of model.byPath.values()) {
    expect(await store.getChunksOf(document.id)).toEqual(chunks);
  }
  for (const [column, words] of [
    ["text", TEXT_WORDS],
    ["heading", HEADING_WORDS],
  ] as const) {
    for (const word of words) {
      const rows = await db.all<{ rowid: number; chunk_id: string | null }>(
        `SELECT f.rowid, c.chunk_id FROM chunks_fts f LEFT JOIN chunks c ON c.chunk_key = f.rowid WHERE chunks_fts MATCH $1`,
        [`${column} : "${word}"`],
      );
      expect(rows.map((row) => row.chunk_id ?? `row ${row.rowid} without chunk`).sort()).toEqual(
        model.matching(column, word),
      );
    }
  }
  const embeddings = await db.all<{ chunk_id: string; status: string }>(
    "SELECT chunk_id, status FROM embedding_records",
  );
  expect(new Map(embeddings.map((row) => [row.chunk_id, row.status]))).toEqual(model.embeddings);
  const counted = await db.get<object>(
    `SELECT (SELECT count(*) FROM assets) AS assets, (SELECT count(*) FROM blobs) AS blobs, (SELECT count(*) FROM chunks) AS chunks,
            (SELECT count(*) FROM chunks_fts_docsize) AS indexed`,
  );
  const assets = new Set([...model.byPath.values()].map(({ document }) => document.assetId)).size;
  const chunks = [...model.byPath.values()].reduce((sum, one) => sum + one.chunks.length, 0);
  expect(counted).toEqual({ assets, blobs: assets, chunks, indexed: chunks });
  expect(await store.corpusRevision()).toBe(model.revision);
}

describe.each(sqlDatabases)("documents on $driver", ({ driver, open }) => {
  test("are after any steps what a naive model is", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(group, { maxLength: 20, size: "max" }), async (steps) => {
        await using db = await open();
        const store = new SqlDocumentStore(db, new SqlBlobStore(db));
        let model = new DocumentModel();
        for (const one of steps) {
          if (one.kind !== "group") {
            await take(one, store, db, model);
          } else {
            const inside = model.copy();
            const done = db.transaction(async (tx) => {
              for (const inner of one.steps) await take(inner, store.over(tx), tx, inside);
              if (one.fails) throw new Error("undo");
            });
            if (one.fails) await expect(done).rejects.toThrow("undo");
            else {
              await done;
              model = inside;
            }
          }
          await expectSame(db, store, model);
        }
        await db.run("INSERT INTO chunks_fts (chunks_fts) VALUES ('integrity-check')");
        expect(await db.all("PRAGMA foreign_key_check")).toEqual([]);
      }),
      { numRuns: driver === "sql-node" ? 60 : 25 },
    );
  });
});
