import type { RepairOptions, RepairStep } from "../../contracts/store.ts";
import { StorageError } from "../../errors.ts";
import { eachIndex, examineTables, indexFinding, isBroken } from "../embeddings/examine-indexes.ts";
import type { AnyVectorStore } from "../embeddings/vector-side.ts";

/** Codes of what ends a repair as a whole: nothing more can be written, or nobody may. */
export const ENDING: ReadonlySet<string> = new Set(["CLOSED", "ABORTED", "UNSUPPORTED", "INVALID_INPUT"]);

/** Makes vector indexes anew that differ from their vectors or that cannot be opened from their snapshot, each with its snapshot.
 *  @returns what became of each. */
export async function remakeIndexes(
  vectors: AnyVectorStore,
  { dryRun = false, signal, onProgress }: RepairOptions,
): Promise<RepairStep[]> {
  const given = signal === undefined ? {} : { signal };
  const steps: RepairStep[] = [];
  onProgress?.({ doing: "looking at the vector indexes", done: 0, total: null });
  for (const examined of eachIndex(await examineTables(vectors, given))) {
    const { table, generation } = examined;
    if (!isBroken(generation)) continue;
    const { name } = indexFinding(examined);
    if (dryRun) {
      steps.push({ name, outcome: "planned", detail: "make it anew from its vectors" });
      continue;
    }
    try {
      await vectors.rebuild(table.indexId, generation.modelVersion, {
        ...given,
        onProgress: ({ phase, done, total }) =>
          onProgress?.({ doing: `making ${table.tableName} anew, ${phase}`, done, total }),
      });
      steps.push({ name, outcome: "repaired", detail: "the index was made anew from its vectors" });
    } catch (error) {
      if (!(error instanceof StorageError) || ENDING.has(error.code)) throw error;
      steps.push({ name, outcome: "left", detail: `the repair failed: ${error.message} [${error.code}]` });
    }
  }
  return steps;
}
