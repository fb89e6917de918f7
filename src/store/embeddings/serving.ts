import type { SqlExecutor } from "../../contracts/sql.ts";

/** Which versions of a model stand in the store. */
export interface ModelVersions {
  /** The one that searches read. */
  serving: string | null;
  /** The one that takes over when every chunk has its embedding or was refused. */
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

/** A model whose embeddings searches read. */
export interface ServingModel {
  modelId: string;
  dimensions: number;
  modelVersion: string;
}

/** Returns the models that searches read. */
export async function servingModels(db: SqlExecutor): Promise<ServingModel[]> {
  return db.all<ServingModel>(
    `SELECT model_id AS "modelId", dimensions, serving_version AS "modelVersion" FROM embedding_models
     WHERE serving_version IS NOT NULL ORDER BY model_id, dimensions`,
  );
}
