import type { VectorIndexInfo } from "../../contracts/vectors.ts";
import { ofVersion } from "./key-condition.ts";
import type { LiveTable } from "./live-table.ts";

/** What there is to know of one generation of a table. @param live Absent where the table is not in its folder. */
export async function describeTable(live: LiveTable | undefined, modelVersion: string): Promise<VectorIndexInfo> {
  const state = await live?.state("info");
  const vectors = (await live?.count("info", ofVersion(modelVersion))) ?? 0;
  const isIndexed = (state?.indexed ?? 0) > 0;
  // The index is over all generations of the table: what it lacks is counted as if it were of this one.
  const unlinked = isIndexed ? Math.min(vectors, state?.unindexed ?? 0) : vectors;
  return {
    modelVersion,
    vectors,
    engine: isIndexed ? "ivf" : "flat",
    quantization: "f32",
    linked: vectors - unlinked,
    unlinked,
    levels: [],
    memoryBytes: state?.indexBytes ?? 0,
    resident: false,
    revision: state?.version ?? 0,
    snapshot: null,
  };
}
