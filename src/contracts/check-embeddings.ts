import { checkTableSpec, MAX_DIMENSIONS, requireModelId, requireModelVersion, requireVector } from "./check-vectors.ts";
import type { ChunkVector, EmbeddingGeneration, EmbeddingRunOptions, ReindexOptions } from "./embeddings.ts";
import {
  type CallSite,
  invalidInput,
  refusal,
  requireBoolean,
  requireId,
  requireInteger,
  requireList,
  requireObject,
} from "./validate.ts";
import type { VectorMetric } from "./vectors.ts";

/** Most vectors of one `put`. */
export const MAX_PUT = 10_000;
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

/** Returns the generation, checked. */
export function checkGeneration(site: CallSite, generation: unknown): EmbeddingGeneration {
  const value = requireObject(site, "generation", generation, ["modelId", "modelVersion", "dimensions"]);
  const inner: CallSite = { ...site, within: "generation" };
  return {
    modelId: requireModelId(inner, "modelId", value["modelId"]),
    modelVersion: requireModelVersion(inner, "modelVersion", value["modelVersion"]),
    dimensions: requireInteger(inner, "dimensions", value["dimensions"], 1, MAX_DIMENSIONS),
  };
}

/** Returns the generation and the metric that vectors are put under; `metric` is undefined where the caller said none. */
export function checkPutGeneration(
  site: CallSite,
  generation: unknown,
): { generation: EmbeddingGeneration; metric: VectorMetric | undefined } {
  const keys = ["modelId", "modelVersion", "dimensions", "metric"];
  const { metric, ...rest } = requireObject(site, "generation", generation, keys);
  const checked = checkGeneration(site, rest);
  if (metric === undefined) return { generation: checked, metric };
  const { modelId, dimensions } = checked;
  return {
    generation: checked,
    metric: checkTableSpec(site, { modelId, dimensions, metric: metric as VectorMetric }).metric,
  };
}

/** Returns vectors of chunks, all of them checked, no chunk twice. */
export function checkChunkVectors(
  site: CallSite,
  records: unknown,
  table: { dimensions: number; metric: VectorMetric },
): ChunkVector[] {
  const seen = new Set<string>();
  return requireList(site, "records", records, 0, MAX_PUT).map((record, at) => {
    const value = requireObject(site, `records[${at}]`, record, ["chunkId", "vector"]);
    const chunkId = requireId(site, `records[${at}].chunkId`, value["chunkId"]);
    if (seen.has(chunkId)) throw refusal(site, `records[${at}].chunkId got "${chunkId}" a second time`);
    seen.add(chunkId);
    return { chunkId, vector: requireVector(site, `records[${at}].vector`, value["vector"], table) };
  });
}

/** Returns the options of a run. */
export function checkRunOptions(site: CallSite, options: unknown): EmbeddingRunOptions {
  const { signal, onProgress } = requireObject(site, "options", options, ["signal", "onProgress"]);
  requireListener(site, onProgress);
  return {
    ...checkSignal(site, signal),
    ...(onProgress === undefined ? {} : { onProgress: onProgress as NonNullable<EmbeddingRunOptions["onProgress"]> }),
  };
}

/** Returns the options of making indexes anew. */
export function checkReindexOptions(site: CallSite, options: unknown): ReindexOptions {
  const keys = ["modelId", "signal", "onProgress"];
  const { modelId, signal, onProgress } = requireObject(site, "options", options, keys);
  requireListener(site, onProgress);
  return {
    ...(modelId === undefined ? {} : { modelId: requireModelId(site, "options.modelId", modelId) }),
    ...checkSignal(site, signal),
    ...(onProgress === undefined ? {} : { onProgress: onProgress as NonNullable<ReindexOptions["onProgress"]> }),
  };
}

function requireListener(site: CallSite, listener: unknown): void {
  if (listener === undefined || typeof listener === "function") return;
  throw invalidInput(site, "options.onProgress", listener, "a function");
}

/** Returns the options that hold nothing but a signal. */
export function checkSignalOption(site: CallSite, options: unknown): { signal?: AbortSignal } {
  return checkSignal(site, requireObject(site, "options", options, ["signal"])["signal"]);
}

function checkSignal(site: CallSite, signal: unknown): { signal?: AbortSignal } {
  if (signal === undefined) return {};
  if (!(signal instanceof AbortSignal)) throw invalidInput(site, "options.signal", signal, "an AbortSignal");
  return { signal };
}

/** Options of a sweep with their defaults filled in. */
export interface CheckedSweep {
  maxDelete: number;
  dryRun: boolean;
  pendingOlderThanMs: number;
  signal: AbortSignal | undefined;
}

/** Returns the options of a sweep. */
export function checkSweepOptions(site: CallSite, options: unknown): CheckedSweep {
  const keys = ["maxDelete", "dryRun", "pendingOlderThanMs", "signal"];
  const { maxDelete, dryRun, pendingOlderThanMs, signal } = requireObject(site, "options", options, keys);
  return {
    maxDelete: requireInteger(site, "options.maxDelete", maxDelete ?? 10_000, 1, 1_000_000),
    dryRun: requireBoolean(site, "options.dryRun", dryRun ?? false),
    pendingOlderThanMs: requireInteger(site, "options.pendingOlderThanMs", pendingOlderThanMs ?? 600_000, 0, WEEK_MS),
    signal: checkSignal(site, signal).signal,
  };
}
