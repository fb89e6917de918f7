import type { PersistReport, RoomEstimate, StoreStorage } from "../contracts/upkeep.ts";
import { StorageError } from "../errors.ts";
import { opfsStoreBytes } from "./sql/delete-opfs-store.ts";

/** What browsers offer of storage: less in workers, and nothing outside of secure contexts. */
interface Platform {
  estimate?(): Promise<{ usage?: number; quota?: number }>;
  persisted?(): Promise<boolean>;
  /** In pages only. @see https://storage.spec.whatwg.org/#dom-storagemanager-persist */
  persist?(): Promise<boolean>;
}

/** The browser's storage for this origin, in which a store is. */
export function openBrowserStorage({ name }: { name: string }): StoreStorage {
  return {
    estimate: () => attempt("estimate", () => estimate(name)),
    persist: persistOrigin,
  };
}

/** Asks the browser to keep what this origin stores. Only a page may ask. */
export function persistOrigin(): Promise<PersistReport> {
  return attempt("persist", async () => {
    const storage = platform();
    if ((await storage.persisted?.()) === true) return { granted: true, reason: null };
    if (storage.persist === undefined) {
      return {
        granted: false,
        reason: "this browser cannot be asked from here: only a page of a secure origin may ask",
      };
    }
    if (await storage.persist()) return { granted: true, reason: null };
    const reason =
      "the browser said no for now: it says yes where the user allows it, or to sites that are installed, bookmarked or often used";
    return { granted: false, reason };
  });
}

async function estimate(name: string): Promise<RoomEstimate> {
  const storage = platform();
  const { usage = null, quota = null } = (await storage.estimate?.()) ?? {};
  return {
    storeBytes: await opfsStoreBytes(name),
    usageBytes: usage,
    quotaBytes: quota,
    availableBytes: usage === null || quota === null ? null : Math.max(0, quota - usage),
    persisted: (await storage.persisted?.()) ?? false,
  };
}

function platform(): Platform {
  return (globalThis.navigator as { storage?: Platform } | undefined)?.storage ?? {};
}

async function attempt<T>(operation: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof StorageError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError("DRIVER", `the browser's storage failed: ${reason}`, {
      capability: "store",
      operation,
      cause,
    });
  }
}
