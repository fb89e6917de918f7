import type { CheckedSearchQuery } from "../../contracts/check-search.ts";
import { checkEmbeddings } from "../../contracts/check-embedder.ts";
import type { Embedder } from "../../contracts/embedder.ts";
import type { ScoreKind, SearchExplain } from "../../contracts/search.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { invalidInput } from "../../contracts/validate.ts";
import type {
  TransactionalVectorStore,
  VectorPlan,
  VectorQuery,
  VectorStore,
  VectorTable,
} from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";
import { generationOf } from "../embeddings/generation.ts";
import { servingVersion } from "../embeddings/serving.ts";
import type { RankedKey } from "./fuse.ts";
import type { Timed } from "./lexical-search.ts";

const SITE = { capability: "search", operation: "search" } as const;

/** What the vector side of a search needs. */
export interface VectorParts {
  /** One in the same database says which chunks it found by their keys. */
  vectors: VectorStore & Partial<Pick<TransactionalVectorStore, "nearest">>;
  embedder?: Embedder | undefined;
}

/** A list of chunks by nearness. */
export interface NearestChunks {
  ranked: RankedKey[];
  scoreKind: ScoreKind;
  explain: SearchExplain["vector"];
}

/** Ranks chunks by the nearness of their embeddings to the query's. */
export class VectorRanking {
  readonly #db: SqlDatabase;
  readonly #vectors: VectorParts["vectors"];
  readonly #embedder: Embedder | undefined;

  constructor(db: SqlDatabase, parts: VectorParts) {
    this.#db = db;
    this.#vectors = parts.vectors;
    this.#embedder = parts.embedder;
  }

  /** Returns the query's vector: the caller's, or the embedder's for the text. `undefined` for an empty text. */
  async vectorOf(query: CheckedSearchQuery, timed: Timed, signal?: AbortSignal): Promise<Float32Array | undefined> {
    if (query.vector !== undefined) return query.vector;
    const embedder = this.#embedder;
    if (embedder === undefined || (query.modelId !== undefined && query.modelId !== embedder.modelId)) {
      throw new StorageError(
        "UNSUPPORTED",
        `mode "${query.mode}" needs a "vector", or a store with an embedder for ${query.modelId === undefined ? "its texts" : `"${query.modelId}"`}`,
        SITE,
      );
    }
    if (query.text.trim() === "") return undefined;
    const texts = [query.text];
    return timed("embed", async () => {
      const vectors = await embedder.embed(texts, { kind: "query", ...(signal === undefined ? {} : { signal }) });
      checkEmbeddings(embedder, texts, vectors);
      return vectors[0];
    });
  }

  /** Ranks the `depth` nearest chunks; none where nothing has been embedded yet. */
  async rank(
    query: CheckedSearchQuery,
    vector: Float32Array,
    depth: number,
    timed: Timed,
    signal?: AbortSignal,
  ): Promise<NearestChunks> {
    const table = await timed("table", () => this.#table(query, vector));
    const version = table === undefined ? undefined : await servingVersion(this.#db, table.modelId, table.dimensions);
    if (table === undefined || version === undefined) return { ranked: [], scoreKind: "cosine", explain: undefined };
    if (query.vector === undefined) this.#requireServing(version);
    const { ranked, plan } = await this.#nearest(
      table,
      vector,
      {
        modelVersion: version,
        k: depth,
        ...(query.filters === undefined ? {} : { filters: query.filters }),
        ...(query.ef === undefined ? {} : { ef: Math.max(query.ef, depth) }),
      },
      timed,
      signal === undefined ? {} : { signal },
    );
    return { ranked, scoreKind: table.metric, explain: describe(table, version, plan) };
  }

  async #nearest(
    table: VectorTable,
    vector: Float32Array,
    query: VectorQuery,
    timed: Timed,
    options: { signal?: AbortSignal },
  ): Promise<{ ranked: RankedKey[]; plan: VectorPlan }> {
    const vectors = this.#vectors;
    if (vectors.nearest !== undefined) {
      const { hits, plan } = await timed("vector", () => vectors.nearest!(table.indexId, vector, query, options));
      return { ranked: hits, plan };
    }
    const { hits, plan } = await timed("vector", () => vectors.search(table.indexId, vector, query, options));
    const keys = await timed("chunks", () => this.#chunkKeys(hits.map(({ chunkId }) => chunkId)));
    const ranked = hits.flatMap(({ chunkId, score }) => {
      const chunkKey = keys.get(chunkId);
      return chunkKey === undefined ? [] : [{ chunkKey, score }];
    });
    return { ranked, plan };
  }

  /** The table whose model is asked for: by name, the embedder's, or the only one that takes such a vector. */
  async #table(query: CheckedSearchQuery, vector: Float32Array): Promise<VectorTable | undefined> {
    const tables = await this.#vectors.tables();
    const modelId = query.modelId ?? (query.vector === undefined ? this.#embedder?.modelId : undefined);
    const ofModel = modelId === undefined ? tables : tables.filter((table) => table.modelId === modelId);
    const fitting = ofModel.filter(({ dimensions }) => dimensions === vector.length);
    if (fitting.length > 1) {
      const names = fitting.map((table) => `"${table.modelId}"`).join(", ");
      throw invalidInput(
        SITE,
        "modelId",
        undefined,
        `one of ${names}: each has vectors of ${vector.length} dimensions`,
      );
    }
    if (fitting.length === 0 && ofModel.length > 0) {
      const takes = ofModel.map(({ dimensions }) => dimensions).join(" or ");
      throw invalidInput(SITE, "vector", `${vector.length} values`, `${takes} values, as the stored embeddings have`);
    }
    return fitting[0];
  }

  /** Vectors compare only within one version: while a new one is being built, its embedder cannot ask the one that serves.
   *  @throws StorageError CONFLICT */
  #requireServing(version: string): void {
    const own = this.#embedder === undefined ? undefined : generationOf(this.#embedder).modelVersion;
    if (own === version) return;
    throw new StorageError(
      "CONFLICT",
      `the embeddings that serve are of version "${version}", and the embedder is of version "${own}", which takes over when every chunk has its embedding`,
      { capability: "embedder", operation: "search" },
    );
  }

  async #chunkKeys(chunkIds: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.#db.all<{ id: string; key: number }>(
      "SELECT chunk_id AS id, chunk_key AS key FROM chunks WHERE chunk_id IN (SELECT value FROM json_each($1))",
      [JSON.stringify(chunkIds)],
    );
    return new Map(rows.map(({ id, key }) => [id, key]));
  }
}

function describe(table: VectorTable, modelVersion: string, plan: VectorPlan): SearchExplain["vector"] {
  return { modelId: table.modelId, modelVersion, dimensions: table.dimensions, plan };
}
