import type { VectorTableExamination } from "../../contracts/embeddings.ts";
import type { CheckFinding } from "../../contracts/store.ts";
import type { VectorExamination, VectorExamineOptions, VectorStore, VectorTable } from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";

/** Looks at all indexes of a store. */
export async function examineTables(
  store: VectorStore,
  options: VectorExamineOptions = {},
): Promise<VectorTableExamination[]> {
  const { driver } = await store.capabilities();
  const found: VectorTableExamination[] = [];
  for (const table of await store.tables()) {
    found.push({ ...table, driver, generations: await store.examine(table.indexId, options) });
  }
  return found;
}

/** What the names of findings about vector indexes begin with. */
export const INDEX_FINDING = "vector index ";

/** Whether a store looks after vectors whose indexes another connection keeps. */
export function isKeptElsewhere(error: unknown): boolean {
  return error instanceof StorageError && error.code === "UNSUPPORTED" && error.capability === "vectors";
}

/** Looks at all indexes of a store, and returns the findings about them. */
export async function indexFindings(store: VectorStore): Promise<CheckFinding[]> {
  return eachIndex(await examineTables(store)).map((one) => indexFinding(one));
}

/** One index and its table. */
export interface ExaminedIndex {
  table: VectorTable;
  generation: VectorExamination;
}

/** Returns the indexes of these tables one by one. */
export function eachIndex(tables: readonly VectorTableExamination[]): ExaminedIndex[] {
  return tables.flatMap((table) => table.generations.map((generation) => ({ table, generation })));
}

/** Whether an index is to be made anew: it is out of step, or it cannot be opened from its snapshot. */
export function isBroken({ problem, snapshot }: VectorExamination): boolean {
  return problem !== null || (snapshot !== null && snapshot.problem !== null);
}

/** Returns the finding about an index. */
export function indexFinding({ table, generation }: ExaminedIndex): CheckFinding {
  const { problem, snapshot } = generation;
  const name = `${INDEX_FINDING}${table.tableName} version ${generation.modelVersion}`;
  const problems = [problem, snapshot?.problem == null ? null : `its snapshot: ${snapshot.problem}`];
  const wrong = problems.filter((one) => one !== null);
  return wrong.length > 0
    ? { name, ok: false, detail: wrong.join("; ") }
    : { name, ok: true, detail: `ok; ${described(generation)}` };
}

function described({ vectors, index, recall, snapshot }: VectorExamination): string {
  return [
    `${vectors} vectors`,
    ...(index === null ? [] : [`${index.engine} with ${index.linked} linked`]),
    ...(recall === null ? [] : [`recall@10 ${recall.toFixed(2)}`]),
    snapshot === null
      ? "no snapshot"
      : `snapshot verified, at change ${snapshot.revision ?? "?"}, ${snapshot.behind} behind`,
  ].join(", ");
}
