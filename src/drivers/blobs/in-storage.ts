import { StorageError } from "../../errors.ts";
import { isOutOfRoom } from "../out-of-room.ts";

/** Does work in a browser's storage, and says of what fails there which blob it was about.
 *  @param storage What it is called for people.
 *  @throws StorageError QUOTA_EXCEEDED, DRIVER, or what the work throws as one */
export async function inStorage<T>(
  storage: string,
  operation: string,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof StorageError) throw cause;
    const context = { capability: "blobs", operation, cause } as const;
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (isOutOfRoom(cause)) {
      throw new StorageError("QUOTA_EXCEEDED", `no storage is left for the blob "${what}": ${reason}`, context);
    }
    throw new StorageError("DRIVER", `${storage} failed at "${what}": ${reason}`, context);
  }
}
