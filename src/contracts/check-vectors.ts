import { checkDocumentFilter } from "./check-filter.ts";
import type { DocumentFilter } from "./documents.ts";
import {
  type CallSite,
  invalidInput,
  requireId,
  requireInteger,
  requireList,
  requireObject,
  requireOneOf,
  requireText,
} from "./validate.ts";
import type { VectorMetric, VectorQuery, VectorRecord, VectorTableSpec } from "./vectors.ts";

/** Longest name of a model, in characters. */
export const MAX_MODEL_ID_LENGTH = 200;
/** Longest name of a model's version, in characters. */
export const MAX_MODEL_VERSION_LENGTH = 100;
export const MAX_DIMENSIONS = 4096;
/** Most hits of one vector search. */
export const MAX_VECTOR_K = 1000;
/** Widest walk. */
export const MAX_VECTOR_EF = 4096;
/** Most records of an upsert, and most queries of a batch. */
export const MAX_VECTOR_BATCH = 1000;

const METRICS = ["cosine", "dot", "l2"] as const;

/** Returns the value as the name of a model. */
export function requireModelId(site: CallSite, field: string, value: unknown): string {
  return requireText(site, field, value, { min: 1, max: MAX_MODEL_ID_LENGTH });
}

/** Returns the value as the version of a model. */
export function requireModelVersion(site: CallSite, field: string, value: unknown): string {
  return requireText(site, field, value, { min: 1, max: MAX_MODEL_VERSION_LENGTH });
}

/** Returns the spec with its defaults. */
export function checkTableSpec(site: CallSite, spec: VectorTableSpec): Required<VectorTableSpec> {
  const value = requireObject(site, "spec", spec, ["modelId", "dimensions", "metric"]);
  return {
    modelId: requireModelId(site, "spec.modelId", value["modelId"]),
    dimensions: requireInteger(site, "spec.dimensions", value["dimensions"], 1, MAX_DIMENSIONS),
    metric: requireOneOf<VectorMetric>(site, "spec.metric", value["metric"] ?? "cosine", METRICS),
  };
}

/** Returns the value as a vector that the table takes. */
export function requireVector(
  site: CallSite,
  field: string,
  value: unknown,
  table: { dimensions: number; metric: VectorMetric },
): Float32Array {
  if (!(value instanceof Float32Array)) throw invalidInput(site, field, value, "a Float32Array");
  if (value.length !== table.dimensions) {
    throw invalidInput(site, `${field}.length`, value.length, `${table.dimensions}`);
  }
  let square = 0;
  for (let i = 0; i < value.length; i++) {
    const number = value[i] as number;
    if (!Number.isFinite(number)) throw invalidInput(site, `${field}[${i}]`, number, "a finite number");
    square += number * number;
  }
  if (table.metric === "cosine" && square === 0) {
    throw invalidInput(site, field, "all zeros", "a vector with a length: the cosine of zero is not defined");
  }
  if (table.metric !== "cosine" && square > 1e36) {
    throw invalidInput(site, field, `a length of ${Math.sqrt(square)}`, "a vector no longer than 1e18");
  }
  return value;
}

/** Returns the records, all of them checked. */
export function checkVectorRecords(
  site: CallSite,
  records: unknown,
  table: { dimensions: number; metric: VectorMetric },
): VectorRecord[] {
  return requireList(site, "records", records, 0, MAX_VECTOR_BATCH).map((record, i) => {
    const field = `records[${i}]`;
    const value = requireObject(site, field, record, [
      "embeddingId",
      "chunkId",
      "documentId",
      "modelVersion",
      "vector",
    ]);
    return {
      embeddingId: requireId(site, `${field}.embeddingId`, value["embeddingId"]),
      chunkId: requireId(site, `${field}.chunkId`, value["chunkId"]),
      documentId: requireId(site, `${field}.documentId`, value["documentId"]),
      modelVersion: requireModelVersion(site, `${field}.modelVersion`, value["modelVersion"]),
      vector: requireVector(site, `${field}.vector`, value["vector"], table),
    };
  });
}

/** A query with its defaults. */
export interface CheckedVectorQuery {
  modelVersion: string;
  k: number;
  ef: number | undefined;
  filters: DocumentFilter | undefined;
}

/** Returns the query, checked. */
export function checkVectorQuery(site: CallSite, query: VectorQuery): CheckedVectorQuery {
  const value = requireObject(site, "query", query, ["modelVersion", "k", "filters", "ef"]);
  const k = requireInteger(site, "query.k", value["k"], 1, MAX_VECTOR_K);
  const filters = value["filters"] as DocumentFilter | undefined;
  if (filters !== undefined) checkDocumentFilter(site, filters, "query.filters");
  return {
    modelVersion: requireModelVersion(site, "query.modelVersion", value["modelVersion"]),
    k,
    ef: value["ef"] === undefined ? undefined : requireInteger(site, "query.ef", value["ef"], k, MAX_VECTOR_EF),
    filters,
  };
}

/** Checks the embeddings that a call names: at most `MAX_VECTOR_BATCH`.
 *  @throws StorageError INVALID_INPUT, naming the first that is none */
export function requireEmbeddingIds(site: CallSite, embeddingIds: unknown): string[] {
  return requireList(site, "embeddingIds", embeddingIds, 0, MAX_VECTOR_BATCH).map((id, i) =>
    requireId(site, `embeddingIds[${i}]`, id),
  );
}
