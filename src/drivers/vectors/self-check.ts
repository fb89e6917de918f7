import type { SqlDatabase } from "../../contracts/sql.ts";
import type { LiveIndex } from "./live-index.ts";
import { choosePlan, defaultEf, refineCount } from "./search-plan.ts";
import { decodeVector } from "../../formats/stored-vector.ts";

const K = 10;

/** Searches for some of the index's own vectors, with the index as it serves and with the exact scan, and compares. */
export async function measureRecall(
  db: SqlDatabase,
  live: LiveIndex,
  sample: number,
): Promise<{ recall: number; sample: number }> {
  const index = live.index!;
  const ef = defaultEf(K);
  const plan = choosePlan({ linked: index.count - index.pendingCount, allowed: undefined, ef });
  const labels = index.labels();
  const step = Math.max(1, Math.floor(labels.length / sample));
  const chosen = Array.from(labels)
    .filter((label, slot) => slot % step === 0 && index.has(label))
    .slice(0, sample);
  let found = 0;
  let wanted = 0;
  for (const label of chosen) {
    const row = await db.get<{ vector: Uint8Array }>(
      `SELECT vector FROM "${live.table.tableName}" WHERE chunk_key = $1 AND generation_key = $2`,
      [label, live.generationKey],
    );
    if (row === undefined) continue;
    const vector = decodeVector(live.table.encoding, row.vector);
    const options = { k: K, refine: refineCount(K) };
    const { hits: exact } = await live.search(vector, { ...options, ef: refineCount(K), plan: "scan" });
    const { hits: served } = await live.search(vector, { ...options, ef, plan });
    // Distances, not labels: of equally near vectors either will do.
    const farthest = exact.at(-1)?.distance ?? 0;
    wanted += exact.length;
    found += served.filter(({ distance }) => distance <= farthest).length;
  }
  return { recall: wanted === 0 ? 1 : Math.min(1, found / wanted), sample: chosen.length };
}
