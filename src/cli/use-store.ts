import { StorageError, type Store } from "../node.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Opens a store, does the work and closes the store.
 *
 * Closing writes snapshots of vector indexes. One that cannot be written (no space, a folder that is not writable) takes nothing from the
 * result, for the next opening makes the index from the rows: it is a warning. Where the work fails, and closing too, the first counts.
 */
export async function useStore<T>(
  terminal: Terminal,
  open: () => Promise<Store>,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await open();
  let result: T;
  try {
    result = await work(store);
  } catch (error) {
    await close(store, (failure) => terminal.warn(failure));
    throw error;
  }
  await close(store, (failure) => {
    if (!isAboutSnapshots(failure)) throw failure;
    terminal.warn(failure);
  });
  return result;
}

/** Waits until what was written is linked into the vector indexes: a command that is over does it no more, and searches would have to
 *  compare with what is not linked one by one.
 *  @param signal Ends the wait; what is not linked yet is found all the same. */
export async function finishIndexes(store: Store, terminal: Terminal, signal: AbortSignal): Promise<void> {
  try {
    await store.embeddings.flush({ signal });
  } catch (error) {
    if (isAboutSnapshots(error)) terminal.warn(error);
    else if (!signal.aborted) throw error;
  }
}

async function close(store: Store, onFailure: (error: Error) => void): Promise<void> {
  try {
    await store.close();
  } catch (error) {
    onFailure(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Vectors and documents are in the database; the only files beside it are snapshots. */
function isAboutSnapshots(error: unknown): error is StorageError {
  return error instanceof StorageError && error.capability === "blobs";
}
