import type { VectorProgress } from "../../contracts/vectors.ts";
import { nextTurn } from "../../turns.ts";
import { chooseQuantization, SAMPLE_SIZE } from "./choose-quantization.ts";
import type { GenerationRows } from "./generation-rows.ts";
import type { IndexPolicy } from "./index-policy.ts";
import { throwIfAborted } from "./throw-if-aborted.ts";
import type { VectorIndex } from "./vector-index.ts";

/** Rows that one step reads. */
const ROWS_A_STEP = 512;

/** An index that was made, from whichever source. */
export interface BuiltIndex {
  index: VectorIndex;
  /** Last change that it holds. */
  revision: number;
  /** Whether there were too few vectors to choose how they are read: floats, until there are more. */
  undecided: boolean;
}

/** Reads what is committed into a new index. */
export async function buildIndex(
  rows: GenerationRows,
  policy: IndexPolicy,
  signal?: AbortSignal,
  onProgress?: (progress: VectorProgress) => void,
): Promise<BuiltIndex> {
  const revision = await rows.newestChange();
  const { total, last } = await rows.extent();
  const chosen = chooseQuantization(policy, rows.table, await rows.sample(total, SAMPLE_SIZE));
  const index = policy.createIndex(rows.table, chosen ?? "f32", total);
  // Rows that come meanwhile are in the log: whoever writes faster than this reads would keep it from its end.
  let after = 0;
  for (let done = 0; after < last;) {
    throwIfAborted(signal, "open");
    const step = await rows.committedAfter(after, last, ROWS_A_STEP);
    for (const { label, vector } of step) index.add(label, vector);
    after = step.length < ROWS_A_STEP ? last : (step.at(-1) as { row: number }).row;
    done += step.length;
    onProgress?.({ done, total });
    await nextTurn();
  }
  return { index, revision, undecided: chosen === undefined };
}
