import type { EmbeddingGeneration, GenerationStatus } from "../../contracts/embeddings.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";

/** Steps from the first record of one status and generation to the first of the next, in idx_embed_status: as many steps as there
 *  are of these, however many records. */
const GROUPS = `WITH RECURSIVE first (id) AS (
    SELECT (SELECT r.embedding_id FROM embedding_records r
            ORDER BY r.status, r.model_id, r.model_version, r.dimensions LIMIT 1)
    UNION ALL
    SELECT (SELECT n.embedding_id FROM embedding_records c JOIN embedding_records n
              ON (n.status, n.model_id, n.model_version, n.dimensions) > (c.status, c.model_id, c.model_version, c.dimensions)
            WHERE c.embedding_id = first.id
            ORDER BY n.status, n.model_id, n.model_version, n.dimensions LIMIT 1)
    FROM first WHERE first.id IS NOT NULL
  )
  SELECT r.status, r.model_id AS "modelId", r.model_version AS "modelVersion", r.dimensions,
    CASE WHEN m.serving_version = r.model_version THEN 'serving' WHEN m.building_version = r.model_version THEN 'building'
         ELSE 'retired' END AS role`;

const SOURCE = `FROM first JOIN embedding_records r ON r.embedding_id = first.id
  LEFT JOIN embedding_models m ON m.model_id = r.model_id AND m.dimensions = r.dimensions`;

interface GroupRow extends EmbeddingGeneration {
  status: "pending" | "committed" | "tombstone";
  role: GenerationStatus["role"];
}

/** Returns every generation there are records of, with its role and counts. */
export async function listGenerations(db: SqlExecutor): Promise<GenerationStatus[]> {
  const rows = await db.all<GroupRow & { records: number }>(
    `${GROUPS}, (SELECT count(*) FROM embedding_records o WHERE o.status = r.status AND o.model_id = r.model_id
       AND o.model_version = r.model_version AND o.dimensions = r.dimensions) AS records
     ${SOURCE} ORDER BY r.model_id, r.dimensions, r.model_version`,
  );
  const generations = new Map<string, GenerationStatus>();
  for (const { status, records, role, modelId, modelVersion, dimensions } of rows) {
    const key = JSON.stringify([modelId, dimensions, modelVersion]);
    const known = generations.get(key) ?? { modelId, modelVersion, dimensions, role, ...NONE };
    if (status === "tombstone") known.tombstones = records;
    else known[status] = records;
    generations.set(key, known);
  }
  return [...generations.values()];
}

const NONE = { committed: 0, pending: 0, tombstones: 0 };

/** Returns the generations that nothing reads or builds any more and that still have records. */
export async function retiredGenerations(db: SqlExecutor): Promise<EmbeddingGeneration[]> {
  const rows = await db.all<GroupRow>(`${GROUPS} ${SOURCE}`);
  const retired = new Map<string, EmbeddingGeneration>();
  for (const { role, modelId, modelVersion, dimensions } of rows) {
    if (role !== "retired") continue;
    retired.set(JSON.stringify([modelId, dimensions, modelVersion]), { modelId, modelVersion, dimensions });
  }
  return [...retired.values()];
}
