import { anySignal } from "../../contracts/any-signal.ts";
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
import { engineOf, rememberedEngine } from "../embeddings/adopt-vectors.ts";
import { generationOf } from "../embeddings/generation.ts";
import { embedderError } from "../embeddings/embedder-error.ts";
import { type ServingModel, servingModels, servingVersion } from "../embeddings/serving.ts";
import { untilAborted } from "../../contracts/until-aborted.ts";
import type { RankedKey } from "./fuse.ts";
import { searchAborted, throwIfAborted, type Timed } from "./timing.ts";

const SITE = { capability: "search", operation: "search" } as const;

/** So often a search begins anew at most because another version of the embeddings took over. */
const MOST_TRIES = 3;

/** What the vector side of a search needs. */
export interface VectorParts {
  /** One in the same database says which chunks it found by their keys. */
  vectors: VectorStore &
    Partial<Pick<TransactionalVectorStore, "nearest">> & {
      /** How often an index was made anew. */
      readonly rebuilds?: number;
    };
  embedder?: Embedder | undefined;
  /** Ends the waiting for embedders when the store closes: they may hang. */
  closing?: AbortSignal | undefined;
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
  readonly #closing: AbortSignal | undefined;
  #engine: Promise<string> | undefined;

  constructor(db: SqlDatabase, parts: VectorParts) {
    this.#db = db;
    this.#vectors = parts.vectors;
    this.#embedder = parts.embedder;
    this.#closing = parts.closing;
  }

  /** Returns the query's vector: the caller's, or the embedder's for the text. `undefined` for an empty text.
   *  @throws StorageError UNSUPPORTED, and with the capability `embedder` what the embedder throws */
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
    const until = anySignal(signal, this.#closing);
    return timed("embed", async () => {
      try {
        throwIfAborted(until);
        const answer = embedder.embed(texts, { kind: "query", signal: until });
        const vectors = await untilAborted(answer, until, searchAborted);
        checkEmbeddings(embedder, texts, vectors);
        return vectors[0];
      } catch (error) {
        throwIfAborted(until);
        throw embedderError(embedder, error);
      }
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
    const ask = {
      k: depth,
      ...(query.filters === undefined ? {} : { filters: query.filters }),
      ...(query.ef === undefined ? {} : { ef: Math.max(query.ef, depth) }),
    };
    for (let tries = 1; ; tries++) {
      const model = await timed("model", () => this.#model(query, vector));
      await this.#requireEngine();
      const table = model === undefined ? undefined : await this.#tableOf(model);
      if (model === undefined || table === undefined) return { ranked: [], scoreKind: "cosine", explain: undefined };
      const { modelId, dimensions, modelVersion } = model;
      const { ranked, plan } = await this.#nearest(
        table,
        vector,
        { modelVersion, ...ask },
        timed,
        signal === undefined ? {} : { signal },
      );
      // A version that took over meanwhile has the old one's vectors deleted, and what was found of them may be half of it.
      if (tries < MOST_TRIES && (await servingVersion(this.#db, modelId, dimensions)) !== modelVersion) continue;
      return { ranked, scoreKind: table.metric, explain: { modelId, modelVersion, dimensions, plan } };
    }
  }

  /** @throws StorageError CONFLICT another process moved the vectors since this store was opened */
  async #requireEngine(): Promise<void> {
    const remembered = await rememberedEngine(this.#db);
    this.#engine ??= engineOf(this.#vectors);
    if (remembered === undefined || remembered === (await this.#engine)) return;
    throw notServing("another process chose another vector engine, which has the vectors now: open the store again");
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

  /** The model that is asked for: by name, the embedder's, or the only one that takes such a vector; `undefined` where nothing
   *  has been embedded.
   *  @throws StorageError INVALID_INPUT, NOT_FOUND, CONFLICT (capability `embedder`) */
  async #model(query: CheckedSearchQuery, vector: Float32Array): Promise<ServingModel | undefined> {
    const own = query.vector === undefined;
    const embedder = this.#embedder;
    const serving = await servingModels(this.#db);
    const fits = ({ dimensions }: ServingModel): boolean => dimensions === vector.length;
    const embedders = serving.filter(({ modelId }) => modelId === embedder?.modelId);
    const byDefault = own || embedders.some(fits) ? embedder?.modelId : undefined;
    const modelId = query.modelId ?? byDefault;
    const ofModel = modelId === undefined ? serving : serving.filter((model) => model.modelId === modelId);
    if (ofModel.length === 0) {
      if (query.modelId !== undefined && query.modelId !== embedder?.modelId) throw noSuchModel(query.modelId, serving);
      return undefined;
    }
    const [model, another] = ofModel.filter(fits);
    if (model === undefined) {
      const takes = ofModel.map(({ dimensions }) => dimensions).join(" or ");
      if (own) {
        throw notServing(`the embeddings there are have ${takes} dimensions, and the embedder makes ${vector.length}`);
      }
      throw invalidInput(SITE, "vector.length", vector.length, `${takes}, as the stored embeddings have`);
    }
    if (another !== undefined) {
      throw invalidInput(
        SITE,
        "modelId",
        undefined,
        `one of ${namesOf(ofModel.filter(fits))}: each has vectors of ${vector.length} dimensions`,
      );
    }
    const version = embedder === undefined ? undefined : generationOf(embedder).modelVersion;
    // Vectors compare only within one version: while a new one is being built, its embedder cannot ask the one that serves.
    if (own && version !== model.modelVersion) {
      throw notServing(
        `the embeddings that serve are of version "${model.modelVersion}", and the embedder is of version "${version}", which takes over when every chunk has its embedding`,
      );
    }
    return model;
  }

  async #tableOf({ modelId, dimensions }: ServingModel): Promise<VectorTable | undefined> {
    const tables = await this.#vectors.tables();
    return tables.find((table) => table.modelId === modelId && table.dimensions === dimensions);
  }

  async #chunkKeys(chunkIds: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.#db.all<{ id: string; key: number }>(
      "SELECT chunk_id AS id, chunk_key AS key FROM chunks WHERE chunk_id IN (SELECT value FROM json_each($1))",
      [JSON.stringify(chunkIds)],
    );
    return new Map(rows.map(({ id, key }) => [id, key]));
  }
}

function namesOf(models: readonly ServingModel[]): string {
  return [...new Set(models.map(({ modelId }) => JSON.stringify(modelId)))].join(", ");
}

function noSuchModel(modelId: string, serving: readonly ServingModel[]): StorageError {
  const there = serving.length === 0 ? "there are none at all" : `there are those of ${namesOf(serving)}`;
  return new StorageError(
    "NOT_FOUND",
    `there are no embeddings of the model ${JSON.stringify(modelId)}; ${there}`,
    SITE,
  );
}

/** Nothing compares with what the embedder makes. */
function notServing(reason: string): StorageError {
  return new StorageError("CONFLICT", reason, { capability: "embedder", operation: "search" });
}
