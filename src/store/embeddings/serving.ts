import type { SqlExecutor } from "../../contracts/sql.ts";

/** Which versions of a model stand in the store. */
export interface ModelVersions {
  /** The one that searches read. */
  serving: string | null;
  /** The one that takes over when every chunk has its embedding. */
  building: string | null;
}

/** Returns the versions of a model, `undefined` for a model without embeddings. */
export async function modelVersions(
  db: SqlExecutor,
  modelId: string,
  dimensions: number,
): Promise<ModelVersions | undefined> {
  return db.get<{ serving: string | null; building: string | null }>(
    `SELECT serving_version AS serving, building_version AS building FROM embedding_models
     WHERE model_id = $1 AND dimensions = $2`,
    [modelId, dimensions],
  );
}

/** Returns the version of a model that searches read, `undefined` while none serves. Ask anew for every search: a swap takes
 *  effect at once. Vectors compare only with queries of the same version. */
export async function servingVersion(
  db: SqlExecutor,
  modelId: string,
  dimensions: number,
): Promise<string | undefined> {
  return (await modelVersions(db, modelId, dimensions))?.serving ?? undefined;
}
