import type { SqlExecutor } from "../../src/contracts/sql.ts";
import type { Store } from "../../src/contracts/store.ts";
import type { VectorStore } from "../../src/contracts/vectors.ts";

/** An open store with its parts, here or at the other end of a connection. */
export interface OpenedParts {
  store: Store;
  db: Pick<SqlExecutor, "all" | "get">;
  vectors: VectorStore;
}

/** Ids of the chunks that a vector search over everything finds in the generation that serves, sorted; none where none serves. */
export async function visibleChunks({ db, vectors }: OpenedParts, modelId = "test"): Promise<string[]> {
  const models = await db.all<{ version: string | null; dimensions: number }>(
    "SELECT serving_version AS version, dimensions FROM embedding_models WHERE model_id = $1",
    [modelId],
  );
  const [model] = models;
  const table = (await vectors.tables()).find((one) => one.modelId === modelId);
  if (model === undefined || model.version === null || table === undefined) return [];
  const vector = new Float32Array(model.dimensions).fill(1);
  const { hits } = await vectors.search(table.indexId, vector, { modelVersion: model.version, k: 1000 });
  return hits.map(({ chunkId }) => chunkId).sort();
}

/** Ids of all chunks, sorted. */
export async function allChunks(db: OpenedParts["db"]): Promise<string[]> {
  const rows = await db.all<{ id: string }>("SELECT chunk_id AS id FROM chunks ORDER BY chunk_id");
  return rows.map(({ id }) => id);
}
