import { defaultEf } from "../vectors/search-plan.ts";
import { probesFor } from "./index-choice.ts";
import { ofVersion } from "./key-condition.ts";
import type { LiveTable } from "./live-table.ts";
import { readVectors } from "./read-vectors.ts";

const K = 10;
/** Searches that run at once. */
const AT_ONCE = 4;

/** Searches for some of a generation's own vectors, as searches are answered and by comparing all, and compares. */
export async function measureLanceRecall(
  live: LiveTable,
  modelVersion: string,
  sample: number,
): Promise<{ recall: number; sample: number }> {
  const condition = ofVersion(modelVersion);
  const ids: string[] = [];
  for await (const rows of live.rows("selfCheck", ["embedding_id"], condition)) {
    const column = rows.getChild("embedding_id");
    for (let at = 0; at < rows.numRows; at++) ids.push(column?.get(at) as string);
  }
  const step = Math.max(1, Math.floor(ids.length / sample));
  const chosen = ids.filter((_, at) => at % step === 0).slice(0, sample);
  const vectors = await readVectors(live, "selfCheck", chosen);
  const { indexed } = await live.state("selfCheck");
  if (indexed === 0) return { recall: 1, sample: vectors.size };
  const probes = probesFor(defaultEf(K), live.entry.partitions);
  let found = 0;
  let wanted = 0;
  const left = vectors.values();
  const work = async (): Promise<void> => {
    for (const vector of left) {
      const exact = await live.nearest("selfCheck", { vector, limit: K, condition });
      const served = await live.nearest("selfCheck", { vector, limit: K, condition, probes });
      // Distances, not ids: of equally near vectors either will do.
      const farthest = exact.at(-1)?.distance ?? 0;
      wanted += exact.length;
      found += served.filter(({ distance }) => distance <= farthest).length;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { recall: wanted === 0 ? 1 : Math.min(1, found / wanted), sample: vectors.size };
}
