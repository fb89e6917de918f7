import type { EmbeddingGeneration } from "../../contracts/embeddings.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { keyOf, shown } from "./generation.ts";
import { modelVersions } from "./serving.ts";

/** Makes the generation one that may be written: the one that serves stays that, any other is now the one being built. */
export async function claimGeneration(tx: SqlExecutor, generation: EmbeddingGeneration): Promise<void> {
  await tx.run(
    `INSERT INTO embedding_models (model_id, building_version, dimensions, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
     ON CONFLICT (model_id, dimensions) DO UPDATE SET building_version = excluded.building_version, updated_at = excluded.updated_at
     WHERE excluded.building_version IS NOT embedding_models.serving_version
       AND excluded.building_version IS NOT embedding_models.building_version`,
    [...keyOf(generation), Date.now()],
  );
}

/** Whether a generation serves or is being built. */
export async function isLiving(tx: SqlExecutor, generation: EmbeddingGeneration): Promise<boolean> {
  const versions = await modelVersions(tx, generation.modelId, generation.dimensions);
  return versions?.serving === generation.modelVersion || versions?.building === generation.modelVersion;
}

/** @throws StorageError CONFLICT when another version took its place */
export async function requireLiving(tx: SqlExecutor, generation: EmbeddingGeneration): Promise<void> {
  if (await isLiving(tx, generation)) return;
  const message = `${shown(generation)} is neither served nor built any more: another version was begun, or it was dropped`;
  throw new StorageError("CONFLICT", message, { capability: "embeddings", operation: "write" });
}

const TAKE_OVER = `UPDATE embedding_models SET serving_version = building_version, building_version = NULL, updated_at = $4
  WHERE model_id = $1 AND building_version = $2 AND dimensions = $3 AND `;

/** Lets a generation with a first committed embedding serve, where nothing serves yet. */
export async function serveFirst(tx: SqlExecutor, generation: EmbeddingGeneration): Promise<void> {
  await tx.run(
    `${TAKE_OVER} NOT EXISTS (SELECT 1 FROM embedding_records r WHERE r.status = 'committed' AND r.model_id = $1
       AND r.model_version = embedding_models.serving_version AND r.dimensions = $3)`,
    [...keyOf(generation), Date.now()],
  );
}

/** Lets a generation serve once every chunk has a committed embedding of it: one update, which looks and swaps. Committed
 *  records are those of chunks that are there (chunks_tombstone), one each, so equal counts mean that none is missing. */
export async function serveWhenComplete(tx: SqlExecutor, generation: EmbeddingGeneration): Promise<boolean> {
  const { changes } = await tx.run(
    `${TAKE_OVER} (SELECT count(*) FROM chunks) = (SELECT count(*) FROM embedding_records r
       WHERE r.status = 'committed' AND r.model_id = $1 AND r.model_version = $2 AND r.dimensions = $3)`,
    [...keyOf(generation), Date.now()],
  );
  return changes > 0;
}

/** Lets a generation serve although chunks have no embedding of it, unless none has: its embedder takes no more of them. */
export async function serveWithGaps(tx: SqlExecutor, generation: EmbeddingGeneration): Promise<void> {
  await tx.run(
    `${TAKE_OVER} EXISTS (SELECT 1 FROM embedding_records r
       WHERE r.status = 'committed' AND r.model_id = $1 AND r.model_version = $2 AND r.dimensions = $3)`,
    [...keyOf(generation), Date.now()],
  );
}

/** Takes a generation out of its model's row, which goes with its last version. The one being built serves in its place. */
export async function forgetGeneration(tx: SqlExecutor, generation: EmbeddingGeneration): Promise<void> {
  await tx.run(
    `UPDATE embedding_models SET
       serving_version = CASE WHEN serving_version = $2 THEN building_version ELSE serving_version END,
       building_version = CASE WHEN serving_version = $2 OR building_version = $2 THEN NULL ELSE building_version END,
       updated_at = $4
     WHERE model_id = $1 AND dimensions = $3 AND (serving_version = $2 OR building_version = $2)`,
    [...keyOf(generation), Date.now()],
  );
  await tx.run(
    `DELETE FROM embedding_models WHERE model_id = $1 AND dimensions = $2 AND serving_version IS NULL AND building_version IS NULL`,
    [generation.modelId, generation.dimensions],
  );
}
