import type { StoreStorage } from "../../contracts/upkeep.ts";
import { StorageError, type StorageErrorContext } from "../../errors.ts";

/** Refuses work that cannot fit before it writes anything.
 *  @param neededBytes Least that it writes. What is needed more nobody knows before: that is found out while it is written.
 *  @param what The work, for people: `writing the database anew`.
 *  @throws StorageError QUOTA_EXCEEDED */
export async function requireRoom(
  storage: StoreStorage,
  context: StorageErrorContext,
  neededBytes: number,
  what: string,
): Promise<void> {
  if (neededBytes <= 0) return;
  const { availableBytes, quotaBytes } = await storage.estimate();
  if (availableBytes === null || neededBytes <= availableBytes) return;
  const message = `${what} needs at least ${neededBytes} bytes, and ${availableBytes} of ${quotaBytes ?? "?"} are available; nothing was written`;
  throw new StorageError("QUOTA_EXCEEDED", message, context);
}
