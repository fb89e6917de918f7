import { type EvalQueryResult, type Store, StorageError } from "../node.ts";
import { CommandError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";

/** Runs work on evaluations; what is not there, or cannot be compared, is an error of what was typed.
 *  @throws CommandError NOT_FOUND, CONFLICT */
export async function evaluating<T>(operation: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StorageError) || error.capability !== "evaluations") throw error;
    const { code, message } = error;
    if (code === "NOT_FOUND") {
      const hint = "All runs: lodestore eval list";
      throw new CommandError(message, { code, operation, exitCode: EXIT.wrong, hint });
    }
    if (code === "CONFLICT") throw new CommandError(message, { code, operation, exitCode: EXIT.usage });
    throw error;
  }
}

/** Reads everything that a run found. */
export async function allResults({ evaluations }: Store, runId: string): Promise<EvalQueryResult[]> {
  const results: EvalQueryResult[] = [];
  let cursor: string | undefined;
  do {
    const page = await evaluations.listResults(runId, { limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
    results.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return results;
}
