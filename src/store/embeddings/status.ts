import type { EmbeddingGeneration, EmbeddingStatus } from "../../contracts/embeddings.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { listGenerations } from "./generations.ts";
import { countEmbedded } from "./missing.ts";
import { modelVersions } from "./serving.ts";

/** What the database says of the embeddings. @param model What the store's embedder writes. */
export async function readStatus(
  db: SqlDatabase,
  model: EmbeddingGeneration | null,
): Promise<Omit<EmbeddingStatus, "running" | "progress" | "lastError">> {
  // In one transaction, so that the counts fit each other.
  return db.transaction(async (tx) => {
    const generations = await listGenerations(tx);
    const { chunks, committed } = await countEmbedded(tx, model ?? NO_GENERATION);
    const versions = model === null ? undefined : await modelVersions(tx, model.modelId, model.dimensions);
    return {
      model,
      serving: versions?.serving ?? null,
      building: versions?.building ?? null,
      chunks,
      committed,
      missing: chunks - committed,
      tombstones: generations.reduce((sum, one) => sum + one.tombstones, 0),
      generations,
    };
  });
}

/** No record is of it. */
const NO_GENERATION: EmbeddingGeneration = { modelId: "", modelVersion: "", dimensions: 1 };
