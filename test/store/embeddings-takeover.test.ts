import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { IngestFile } from "../../src/contracts/store.ts";
import { StorageError } from "../../src/errors.ts";
import type { AnyVectorStore } from "../../src/store/embeddings/vector-side.ts";
import { ApartVectorStore } from "../support/apart-vector-store.ts";
import { openEmbeddingStore } from "../support/open-embedding-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { flatVectors, vectorStores } from "../support/vector-stores.ts";

type Vectors = (db: SqlDatabase) => AnyVectorStore;

const SECOND = { modelId: "test", modelVersion: "2", dimensions: 16 };

/** Files of one chunk each, in a folder of their own. */
function files(folder: string, count: number, text: string): IngestFile[] {
  return Array.from({ length: count }, (_, n) => ({ path: `${folder}/${n}.md`, content: `${text} ${n}\n` }));
}

/** Makes a store with texts that are embedded by version 1, and which writes down what is missing when version 2 takes over: chunks
 *  without an embedding of it, but for those with the word "poison". @returns its database file. */
async function servedByFirst(vectors: Vectors, texts: IngestFile[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lodestore-takeover-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "lodestore.db");
  await using first = await openEmbeddingStore({ path, vectors, embedder: new TestEmbedder("1") });
  await first.store.ingest(texts, { embed: "wait" });
  await first.db.exec(`CREATE TABLE taken_over (gap INTEGER) STRICT;
    CREATE TRIGGER taken_over AFTER UPDATE OF serving_version ON embedding_models WHEN new.serving_version = '2' BEGIN
      INSERT INTO taken_over SELECT count(*) FROM chunks c WHERE c.text NOT LIKE '%poison%' AND NOT EXISTS (
        SELECT 1 FROM embedding_records r
        WHERE r.chunk_id = c.chunk_id AND r.model_version = '2' AND r.status = 'committed');
    END`);
  return path;
}

/** How many chunks were missing each time that version 2 took over. */
async function gaps(db: SqlDatabase): Promise<number[]> {
  return (await db.all<{ gap: number }>("SELECT gap FROM taken_over")).map(({ gap }) => gap);
}

/** Calls `write` before the transaction of that number, from when it is armed. */
class WriteBeside {
  armed: () => boolean = () => true;
  write: () => Promise<unknown> = async () => undefined;
  #left: number;

  constructor(after: number) {
    this.#left = after;
  }

  readonly hook = async (step: string): Promise<void> => {
    if (step === "before transaction" && this.armed() && this.#left-- === 0) await this.write();
  };
}

describe.each(vectorStores)("a version takes over, with embeddings written $way,", ({ over }) => {
  // Transactions between the last commit of a run and its last: others are written before each of them.
  const moments = [0, 1, 2, 3];

  test.each(moments)(
    "without what was refused, and with what is written beside its run, at moment %i",
    async (moment) => {
      const path = await servedByFirst(over, [...files("a", 5, "glaze"), ...files("b", 3, "poison")]);
      const beside = new WriteBeside(moment);
      const embedder = new TestEmbedder("2", 8);
      embedder.before = (texts) => {
        if (!texts.some((text) => text.includes("poison"))) return;
        throw new StorageError("INVALID_INPUT", "it is poison", { capability: "embedder", operation: "embed" });
      };
      await using opened = await openEmbeddingStore({ path, vectors: over, embedder, hook: beside.hook });
      const { store, db } = opened;
      beside.armed = () => embedder.texts >= 5;
      beside.write = () => store.ingest(files("c", 2, "clay"), { embed: "off" });
      expect(await store.embeddings.run()).toMatchObject({ failed: 3, serving: "2" });
      expect(await gaps(db)).toEqual([0]);
    },
  );

  test.each(moments)(
    "after a run that ended before that, with what is written beside the next, at moment %i",
    async (moment) => {
      const path = await servedByFirst(over, files("a", 5, "glaze"));
      {
        await using ended = await openEmbeddingStore({ path, vectors: over, embedder: new TestEmbedder("2", 8) });
        const stop = new AbortController();
        const onProgress = ({ embedded }: { embedded: number }): void => {
          if (embedded === 5) stop.abort();
        };
        await expect(ended.store.embeddings.run({ signal: stop.signal, onProgress })).rejects.toMatchObject({
          code: "ABORTED",
        });
        expect(await ended.store.embeddings.status()).toMatchObject({ serving: "1", building: "2", missing: 0 });
      }
      const beside = new WriteBeside(moment);
      const embedder = new TestEmbedder("2", 8);
      await using opened = await openEmbeddingStore({ path, vectors: over, embedder, hook: beside.hook });
      const { store, db } = opened;
      beside.write = () => store.ingest(files("c", 2, "clay"), { embed: "off" });
      expect(await store.embeddings.run()).toMatchObject({ failed: 0, serving: "2" });
      expect(await gaps(db)).toEqual([0]);
    },
  );

  test("with what it had and was dropped while it went on", async () => {
    const path = await servedByFirst(over, files("a", 20, "glaze"));
    const embedder = new TestEmbedder("2", 4);
    await using opened = await openEmbeddingStore({ path, vectors: over, embedder });
    const { store, db } = opened;
    const last = await db.get<{ id: string }>("SELECT chunk_id AS id FROM chunks ORDER BY chunk_key DESC LIMIT 1");
    embedder.before = async () => {
      if (embedder.calls !== 3) return;
      await store.embeddings.drop(SECOND);
      await store.embeddings.put(SECOND, [{ chunkId: last?.id ?? "", vector: new Float32Array(16).fill(1) }]);
    };
    expect(await store.embeddings.run()).toMatchObject({ failed: 0, serving: "2" });
    expect(await gaps(db)).toEqual([0]);
  });

  test("not while a chunk cannot have its embedding, and the run ends", async () => {
    const path = await servedByFirst(over, files("a", 5, "glaze"));
    const embedder = new TestEmbedder("2", 8);
    await using opened = await openEmbeddingStore({ path, vectors: over, embedder });
    const { store, db } = opened;
    await db.exec("PRAGMA foreign_keys = OFF; DELETE FROM documents WHERE workspace_path = 'a/2.md'");
    expect(await store.embeddings.run()).toMatchObject({ embedded: 4, failed: 0, serving: "1" });
    expect(await store.embeddings.status()).toMatchObject({ serving: "1", building: "2", missing: 1 });
    expect(await gaps(db)).toEqual([]);
  });
});

test("a version whose pending embeddings another process swept takes over with them", async () => {
  const apart: Vectors = (db) => new ApartVectorStore(flatVectors(db), db);
  const path = await servedByFirst(apart, files("a", 20, "glaze"));
  await using other = await openEmbeddingStore({ path, vectors: apart });
  let swept = 0;
  const vectors: Vectors = (db) =>
    new ApartVectorStore(flatVectors(db), db, async (step) => {
      if (step !== "after upsert" || swept > 0) return;
      swept = (await other.store.embeddings.sweep({ pendingOlderThanMs: 0 })).pending;
    });
  await using opened = await openEmbeddingStore({ path, vectors, embedder: new TestEmbedder("2", 4) });
  expect(await opened.store.embeddings.run()).toMatchObject({ failed: 0, serving: "2" });
  expect(swept).toBe(4);
  expect(await gaps(opened.db)).toEqual([0]);
});
