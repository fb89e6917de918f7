import { StorageError } from "../../errors.ts";

/** Whether something was refused because no room is left. */
export function isFull(error: unknown): error is StorageError {
  return error instanceof StorageError && error.code === "QUOTA_EXCEEDED";
}

/** Does what can wait for a later opening. On a full disk it is left, so that what is in the store can be read.
 *  @param otherwise What is known without it. */
export async function unlessFull<T>(work: () => Promise<T>, otherwise: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isFull(error)) throw error;
    return otherwise();
  }
}

/** Does what makes room, on a full disk once more: the room that was set aside is there the second time. */
export async function onceMoreOnFull<T>(work: () => Promise<T>): Promise<T> {
  return unlessFull(work, work);
}
