import {
  checkVectorQuery,
  type CheckedVectorQuery,
  MAX_VECTOR_BATCH,
  requireEmbeddingIds,
  requireModelVersion,
  requireVector,
} from "../../contracts/check-vectors.ts";
import { type CallSite, requireList, requireSignal } from "../../contracts/validate.ts";
import type { FindAllowed, VectorPlan, VectorQuery } from "../../contracts/vectors.ts";
import { nothing } from "../vectors/near-chunks.ts";
import { throwIfAborted } from "../vectors/throw-if-aborted.ts";
import { type FoundEmbedding, findNearest } from "./find-nearest.ts";
import { oneOfTexts, ofVersion } from "./key-condition.ts";
import type { OpenReports } from "./open-reports.ts";
import { readVectors } from "./read-vectors.ts";
import type { RegisteredTable } from "./table-register.ts";
import type { LanceParts } from "./table-writer.ts";

/** Searches of a batch that run at once. */
const AT_ONCE = 4;

/** What a search found, and how. */
export interface LanceResult {
  hits: FoundEmbedding[];
  plan: VectorPlan;
}

/** Searches and reads Lance tables. */
export class LanceTableReader {
  readonly #parts: LanceParts;
  readonly #allowedChunks: FindAllowed;
  readonly #reports: OpenReports;

  constructor(parts: LanceParts, allowedChunks: FindAllowed, reports: OpenReports) {
    this.#parts = parts;
    this.#allowedChunks = allowedChunks;
    this.#reports = reports;
  }

  async search(
    site: CallSite,
    indexId: string,
    vector: Float32Array,
    query: VectorQuery,
    options: { signal?: AbortSignal },
  ): Promise<LanceResult> {
    const entry = await this.#parts.register.get(indexId, site.operation);
    requireVector(site, "vector", vector, entry);
    return this.#nearest(entry, vector, checkVectorQuery(site, query), requireSignal(site, options));
  }

  async searchEach(
    site: CallSite,
    indexId: string,
    vectors: readonly Float32Array[],
    query: VectorQuery,
    options: { signal?: AbortSignal },
  ): Promise<LanceResult[]> {
    const entry = await this.#parts.register.get(indexId, site.operation);
    const checked = checkVectorQuery(site, query);
    const list = requireList(site, "vectors", vectors, 0, MAX_VECTOR_BATCH).map((vector, i) =>
      requireVector(site, `vectors[${i}]`, vector, entry),
    );
    const signal = requireSignal(site, options);
    throwIfAborted(signal, site.operation);
    const results = new Array<LanceResult>(list.length);
    const left = list.entries();
    const work = async (): Promise<void> => {
      for (const [at, vector] of left) results[at] = await this.#nearest(entry, vector, checked, signal);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return results;
  }

  async count(site: CallSite, indexId: string, modelVersion: string | undefined): Promise<number> {
    const entry = await this.#parts.register.get(indexId, site.operation);
    const version = modelVersion === undefined ? undefined : requireModelVersion(site, "modelVersion", modelVersion);
    const live = await this.#parts.tables.find(entry, site.operation);
    return live?.count(site.operation, version === undefined ? undefined : ofVersion(version)) ?? 0;
  }

  async exist(site: CallSite, indexId: string, embeddingIds: readonly string[]): Promise<boolean[]> {
    const entry = await this.#parts.register.get(indexId, site.operation);
    const ids = requireEmbeddingIds(site, embeddingIds);
    const live = await this.#parts.tables.find(entry, site.operation);
    const there = new Set<unknown>();
    if (live === undefined || ids.length === 0) return ids.map(() => false);
    const condition = oneOfTexts("embedding_id", [...new Set(ids)]);
    for await (const rows of live.rows(site.operation, ["embedding_id"], condition)) {
      const column = rows.getChild("embedding_id");
      for (let at = 0; at < rows.numRows; at++) there.add(column?.get(at));
    }
    return ids.map((id) => there.has(id));
  }

  async vectorsOf(
    site: CallSite,
    indexId: string,
    embeddingIds: readonly string[],
  ): Promise<(Float32Array | undefined)[]> {
    const entry = await this.#parts.register.get(indexId, site.operation);
    const ids = requireEmbeddingIds(site, embeddingIds);
    const live = await this.#parts.tables.find(entry, site.operation);
    const found = live === undefined ? undefined : await readVectors(live, site.operation, ids);
    return ids.map((id) => found?.get(id));
  }

  async #nearest(
    entry: RegisteredTable,
    vector: Float32Array,
    query: CheckedVectorQuery,
    signal: AbortSignal | undefined,
  ): Promise<LanceResult> {
    throwIfAborted(signal, "search");
    const allowed = query.filters === undefined ? undefined : (await this.#allowedChunks(query.filters)).keys;
    throwIfAborted(signal, "search");
    const { k, ef, modelVersion } = query;
    if (!entry.generations.includes(modelVersion)) return { hits: [], plan: nothing(query) };
    const { db, tables } = this.#parts;
    const live = await tables.get(entry, "search");
    await this.#reports.noteRead(live, modelVersion, "search");
    const found = await findNearest(db, live, entry, vector, { modelVersion, k, ef, allowed, signal });
    throwIfAborted(signal, "search");
    return found;
  }
}
