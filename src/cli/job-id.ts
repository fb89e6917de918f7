import { type Job, StorageError, type Store } from "../node.ts";
import { CommandError, usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { openExistingStore, openStoreToRead } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";

const ALL_JOBS = "All jobs: lodestore jobs list";

/** Reads the job whose id is the one argument, also while another process has the store.
 *  @throws CommandError (usage), NOT_FOUND */
export async function readJob(args: Arguments, terminal: Terminal): Promise<Job> {
  const [id = "", ...rest] = args.positionals;
  if (id === "" || rest.length > 0) {
    const got = id === "" ? "no id of a job is given" : `takes one id, got ${args.positionals.length}`;
    throw usageError(args.command, got, "Their ids: lodestore jobs list");
  }
  const job = await useStore(
    terminal,
    () => openStoreToRead(args, terminal),
    ({ jobs }) => jobs.get(id),
  );
  if (job !== undefined) return job;
  throw jobError(args.command, "NOT_FOUND", `the store has no job "${id}"`, ALL_JOBS);
}

/** Opens the store for writing and works on a job of it.
 *  @throws CommandError CONFLICT (another process has the store, and its jobs with it; or the job cannot take the step) */
export async function useJob<T>(args: Arguments, terminal: Terminal, work: (store: Store) => Promise<T>): Promise<T> {
  try {
    return await useStore(terminal, () => openExistingStore(args, terminal).catch(toldOfOther(args.command)), work);
  } catch (error) {
    if (!(error instanceof StorageError) || error.capability !== "jobs") throw error;
    throw jobError(args.command, error.code, error.message, ALL_JOBS, error);
  }
}

function toldOfOther(command: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof StorageError) || error.code !== "CONFLICT" || error.capability !== "store") throw error;
    const message = `another process has the store open, and it alone works on its jobs: ${error.message}`;
    throw jobError(
      command,
      "CONFLICT",
      message,
      "End the job there, or end that process; its jobs are interrupted then.",
    );
  };
}

export function jobError(
  operation: string,
  code: string,
  message: string,
  hint: string,
  cause?: unknown,
): CommandError {
  const error = new CommandError(message, { code, operation, exitCode: EXIT.wrong, hint });
  if (cause !== undefined) error.cause = cause;
  return error;
}
