import { expect } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { Store } from "../../src/contracts/store.ts";
import type { VectorStore } from "../../src/contracts/vectors.ts";
import { assetContentHash, assetId, embeddingId } from "../../src/store/ids.ts";

/** A file as the naive store keeps it. */
export interface NaiveFile {
  text: string;
  tags: string[];
  /** Texts of its chunks, in order. */
  chunks: string[];
}

/** A store as a map from paths to files: what the tables of a real one must hold, no more and no less. */
export class NaiveStore {
  readonly files = new Map<string, NaiveFile>();

  /** Compares every table that follows from the files, row by row; vectors and their records are another matter. */
  async expectTables(db: SqlDatabase, store: Store): Promise<void> {
    const files = [...this.files].sort(byPath);
    const documents = await db.all<{ key: number; id: string; path: string; asset: string }>(
      'SELECT document_key AS "key", document_id AS id, workspace_path AS path, asset_id AS asset FROM documents ORDER BY workspace_path',
    );
    expect(documents.map(({ path, asset }) => [path, asset])).toEqual(
      files.map(([path, { text }]) => [path, idOfBytes(text)]),
    );
    const texts = [...new Set(files.map(([, { text }]) => text))];
    const hashes = texts.map(hashOf).sort();
    expect(await column(db, "SELECT content_hash FROM assets ORDER BY 1")).toEqual(hashes);
    expect(await column(db, "SELECT blob_key FROM blobs ORDER BY 1")).toEqual(hashes.map((hash) => `_assets/${hash}`));
    for (const text of texts) {
      expect(new TextDecoder().decode(await store.documents.getAssetBytes(idOfBytes(text)))).toBe(text);
    }
    const pathOf = new Map(documents.map(({ key, path }) => [key, path]));
    const tags = await db.all<{ key: number; tag: string }>('SELECT document_key AS "key", tag FROM document_tags');
    expect(tags.map(({ key, tag }) => `${pathOf.get(key)} ${tag}`).sort()).toEqual(
      files.flatMap(([path, file]) => file.tags.map((tag) => `${path} ${tag}`)).sort(),
    );
    const blocks = await db.all<{ key: number }>('SELECT DISTINCT document_key AS "key" FROM blocks');
    expect(blocks.map(({ key }) => pathOf.get(key) ?? `document ${key}`).sort()).toEqual(
      files.filter(([, { chunks }]) => chunks.length > 0).map(([path]) => path),
    );
    const chunks = await db.all<{ key: number; owner: number; text: string }>(
      'SELECT chunk_key AS "key", document_key AS owner, text FROM chunks ORDER BY document_key, ordinal',
    );
    const textsOf = (path: string): string[] =>
      chunks.filter(({ owner }) => pathOf.get(owner) === path).map(({ text }) => text);
    expect(documents.map(({ path }) => textsOf(path))).toEqual(files.map(([, one]) => one.chunks));
    expect(chunks).toHaveLength(files.reduce((sum, [, one]) => sum + one.chunks.length, 0));
    await this.#expectTextIndex(db, chunks);
  }

  async #expectTextIndex(db: SqlDatabase, chunks: readonly { key: number; text: string }[]): Promise<void> {
    const keys = chunks.map(({ key }) => key).sort((a, b) => a - b);
    expect(await column(db, "SELECT id FROM chunks_fts_docsize ORDER BY id")).toEqual(keys);
    for (const word of WORDS) {
      const found = await column(db, "SELECT rowid FROM chunks_fts WHERE chunks_fts MATCH $1 ORDER BY rowid", [
        `text : "${word}"`,
      ]);
      const wanted = chunks.filter(({ text }) => text.split(/\W+/u).includes(word)).map(({ key }) => key);
      expect([word, found]).toEqual([word, wanted.sort((a, b) => a - b)]);
    }
  }

  /** Compares records and vectors, once everything is embedded and swept: one of each for each chunk, of one version. */
  async expectEmbeddings(db: SqlDatabase, vectors: VectorStore, modelVersion: string): Promise<void> {
    const chunkIds = (await column(db, "SELECT chunk_id FROM chunks ORDER BY chunk_id")) as string[];
    const model = { modelId: "test", modelVersion, dimensions: 16 };
    const ids = chunkIds.map((chunkId) => embeddingId({ chunkId, ...model }));
    const records = await db.all("SELECT embedding_id AS id, chunk_id AS chunk, status FROM embedding_records");
    const wanted = chunkIds.map((chunk, at) => ({ id: ids[at], chunk, status: "committed" }));
    expect(sorted(records)).toEqual(sorted(wanted));
    for (const { indexId, tableName } of await vectors.tables()) {
      expect(await vectors.batchExists(indexId, ids)).toEqual(ids.map(() => true));
      expect(await vectors.count(indexId)).toBe(ids.length);
      // Tables of the database can be looked at themselves.
      const own = await db.get("SELECT 1 FROM sqlite_schema WHERE name = $1", [tableName]);
      if (own === undefined) continue;
      expect(await column(db, `SELECT embedding_id FROM "${tableName}" ORDER BY 1`)).toEqual([...ids].sort());
      expect(await column(db, `SELECT DISTINCT model_version FROM vector_generations ORDER BY 1`)).toEqual(
        ids.length === 0 ? expect.any(Array) : [modelVersion],
      );
      expect(
        await column(
          db,
          `SELECT generation_key FROM "${tableName}" WHERE generation_key NOT IN (SELECT generation_key FROM vector_generations)
           UNION SELECT generation_key FROM vector_changes WHERE generation_key NOT IN (SELECT generation_key FROM vector_generations)`,
        ),
      ).toEqual([]);
    }
  }
}

/** Words that texts of such a store consist of. */
export const WORDS: readonly string[] = ["kiln", "glaze", "clay", "ash"];

function byPath([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

function hashOf(text: string): string {
  return assetContentHash(new TextEncoder().encode(text));
}

function idOfBytes(text: string): string {
  return assetId(hashOf(text));
}

function sorted(rows: readonly object[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

async function column(db: SqlDatabase, sql: string, params: string[] = []): Promise<unknown[]> {
  return (await db.all<Record<string, unknown>>(sql, params)).map((row) => Object.values(row)[0]);
}
