import type { CheckedVectorQuery } from "../../contracts/check-vectors.ts";
import type { NearChunk, VectorMetric, VectorPlan } from "../../contracts/vectors.ts";
import type { IndexHit } from "./kernel-exchange.ts";
import { defaultEf } from "./search-plan.ts";

/** Hits as chunks with their scores, nearest first; ties by key. */
export function nearChunks(metric: VectorMetric, hits: readonly IndexHit[]): NearChunk[] {
  return hits
    .map(({ label, distance }) => ({ chunkKey: label, score: scoreOf(metric, distance) }))
    .sort((a, b) => b.score - a.score || a.chunkKey - b.chunkKey);
}

/** The plan of a search of nothing. */
export function nothing(query: CheckedVectorQuery): VectorPlan {
  const ef = query.ef ?? defaultEf(query.k);
  return { kind: "scan", allowed: 0, total: 0, unlinked: 0, ef, evaluations: 0, fellBack: false };
}

function scoreOf(metric: VectorMetric, distance: number): number {
  switch (metric) {
    case "cosine":
      return Math.max(-1, Math.min(1, -distance));
    case "dot":
      return -distance;
    case "l2":
      return -Math.sqrt(Math.max(0, distance));
  }
}
