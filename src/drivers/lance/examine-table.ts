import type { SqlDatabase } from "../../contracts/sql.ts";
import type { VectorExamination, VectorIndexInfo } from "../../contracts/vectors.ts";
import { throwIfAborted } from "../vectors/throw-if-aborted.ts";
import { ofVersion } from "./key-condition.ts";
import { deletedTable } from "./lance-error.ts";
import type { LiveTable } from "./live-table.ts";
import { measureLanceRecall } from "./recall.ts";
import type { RegisteredTable } from "./table-register.ts";
import { visibleAmong } from "./visible-records.ts";

/** Vectors of which the recall is measured, */
const SAMPLE = 50;
/** below which something is wrong with the index. */
const MIN_RECALL = 0.5;
/** Embeddings that are looked up together. */
const PAGE = 1000;

/** Looks at one generation of a table: whether every committed embedding has its vector in it, and how well its index finds them.
 *  @param live Absent where the table is not in its folder.
 *  @param index What is known of the index. */
export async function examineGeneration(
  db: SqlDatabase,
  entry: RegisteredTable,
  live: LiveTable | undefined,
  index: VectorIndexInfo,
  { quick, signal }: { quick: boolean; signal: AbortSignal | undefined },
): Promise<VectorExamination> {
  const { modelVersion } = index;
  let { committed, found } = await count(db, entry, live, modelVersion, signal);
  // What is deleted between the two counts looks like missing for a moment, so what is missing is looked for again.
  if (found < committed) ({ committed, found } = await count(db, entry, live, modelVersion, signal));
  throwIfAborted(signal, "examine");
  let problem = committed > found ? `${committed - found} of ${committed} vectors are not in it` : null;
  if (live === undefined && committed > 0) problem = deletedTable(entry, "examine").message;
  const measured = live !== undefined && !quick && found > 0;
  const recall = measured ? (await measureLanceRecall(live, modelVersion, SAMPLE)).recall : null;
  if (recall !== null && recall < MIN_RECALL) problem ??= `it finds ${recall.toFixed(2)} of the ten nearest`;
  return {
    modelVersion,
    vectors: found,
    vectorBytes: 4 * entry.dimensions * found,
    index,
    problem,
    recall,
    snapshot: null,
  };
}

async function count(
  db: SqlDatabase,
  entry: RegisteredTable,
  live: LiveTable | undefined,
  modelVersion: string,
  signal: AbortSignal | undefined,
): Promise<{ committed: number; found: number }> {
  await live?.follow("examine");
  const committed = await countCommitted(db, entry, modelVersion);
  return { committed, found: live === undefined ? 0 : await countFound(db, live, modelVersion, signal) };
}

async function countCommitted(db: SqlDatabase, entry: RegisteredTable, modelVersion: string): Promise<number> {
  const row = await db.get<{ n: number }>(
    `SELECT count(*) AS n FROM embedding_records r WHERE r.status = 'committed' AND r.model_id = $1
       AND r.model_version = $2 AND r.dimensions = $3`,
    [entry.modelId, modelVersion, entry.dimensions],
  );
  return row?.n ?? 0;
}

async function countFound(
  db: SqlDatabase,
  live: LiveTable,
  modelVersion: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  let found = 0;
  for await (const rows of live.rows("examine", ["embedding_id"], ofVersion(modelVersion))) {
    const column = rows.getChild("embedding_id");
    for (let from = 0; from < rows.numRows; from += PAGE) {
      throwIfAborted(signal, "examine");
      const length = Math.min(PAGE, rows.numRows - from);
      const ids = Array.from({ length }, (_, at) => column?.get(from + at) as string);
      found += (await visibleAmong(db, modelVersion, ids)).size;
    }
  }
  return found;
}
