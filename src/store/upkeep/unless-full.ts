import { StorageError } from "../../errors.ts";

/** Does what can wait for a later opening. On a full disk it is left, so that what is in the store can be read.
 *  @param otherwise What is known without it. */
export async function unlessFull<T>(work: () => Promise<T>, otherwise: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== "QUOTA_EXCEEDED") throw error;
    return otherwise();
  }
}
