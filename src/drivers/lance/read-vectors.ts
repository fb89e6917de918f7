import { oneOfTexts } from "./key-condition.ts";
import type { LiveTable } from "./live-table.ts";

/** Returns the stored vectors of those of the embeddings that are there. */
export async function readVectors(
  live: LiveTable,
  operation: string,
  embeddingIds: readonly string[],
): Promise<Map<string, Float32Array>> {
  const found = new Map<string, Float32Array>();
  if (embeddingIds.length === 0) return found;
  const condition = oneOfTexts("embedding_id", [...new Set(embeddingIds)]);
  for await (const rows of live.rows(operation, ["embedding_id", "vector"], condition)) {
    const ids = rows.getChild("embedding_id");
    const vectors = rows.getChild("vector");
    for (let at = 0; at < rows.numRows; at++) {
      const vector = vectors?.get(at) as { toArray(): Float32Array };
      found.set(ids?.get(at) as string, vector.toArray().slice());
    }
  }
  return found;
}
