import type { RepairOptions, RepairStep } from "../../contracts/store.ts";
import { throwIfAborted } from "../embeddings/tidy.ts";
import type { AnyVectorStore } from "../embeddings/vector-side.ts";

/** What the names of steps about tables of vectors begin with. */
const TABLE = "vector table ";

/** Moves tables of vectors aside whose files are damaged. The sweep after it finds their embeddings lost, and the next run makes them anew.
 *  @returns what became of each. */
export async function setDamagedAside(
  vectors: AnyVectorStore,
  { dryRun = false, signal }: RepairOptions,
): Promise<RepairStep[]> {
  const steps: RepairStep[] = [];
  if (vectors.setAsideDamaged === undefined) return steps;
  for (const { indexId, tableName } of await vectors.tables()) {
    throwIfAborted(signal, "repair");
    const found = await vectors.setAsideDamaged(indexId, { dryRun, ...(signal === undefined ? {} : { signal }) });
    if (found === undefined) continue;
    const detail =
      found.movedTo === null
        ? `${found.problem}: move it aside, to have its embeddings made anew`
        : `${found.problem}: it was moved aside, to ${found.movedTo}; its embeddings are to be made anew`;
    steps.push({ name: TABLE + tableName, outcome: dryRun ? "planned" : "repaired", detail });
  }
  return steps;
}
