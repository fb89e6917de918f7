import type { VectorTable } from "../../contracts/vectors.ts";

/** The table without what only its driver needs to know. */
export function publicTable({ indexId, tableName, modelId, dimensions, metric }: VectorTable): VectorTable {
  return { indexId, tableName, modelId, dimensions, metric };
}
