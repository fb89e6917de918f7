import { access, constants, readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { RoomEstimate, StoreStorage } from "../contracts/upkeep.ts";
import { StorageError } from "../errors.ts";

/** The file system that a store's folder is on.
 *  @param dir Folder of the store. */
export function openNodeStorage(dir: string): StoreStorage {
  return {
    estimate: () => attempt(dir, () => estimate(dir)),
    // Files stay until somebody deletes them.
    persist: async () => ({ granted: true, reason: null }),
  };
}

async function estimate(dir: string): Promise<RoomEstimate> {
  const { bsize, blocks, bfree, bavail } = await statfs(dir);
  // What is kept for the administrator is neither used nor available.
  const usageBytes = (blocks - bfree) * bsize;
  const availableBytes = bavail * bsize;
  return {
    storeBytes: await bytesIn(dir),
    usageBytes,
    quotaBytes: usageBytes + availableBytes,
    // Where nothing may be written, what is left is of no account: what a store needs then is put elsewhere.
    availableBytes: (await isWritable(dir)) ? availableBytes : null,
    persisted: true,
  };
}

async function isWritable(dir: string): Promise<boolean> {
  return access(dir, constants.W_OK).then(
    () => true,
    () => false,
  );
}

async function bytesIn(dir: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += await sizeOf(join(entry.parentPath, entry.name));
  }
  return bytes;
}

/** A journal may be gone by now. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return 0;
    throw error;
  }
}

async function attempt<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError("DRIVER", `the file system failed at ${dir}: ${reason}`, {
      capability: "store",
      operation: "estimate",
      cause,
    });
  }
}
