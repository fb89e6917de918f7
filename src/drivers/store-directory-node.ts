import { mkdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { requireText } from "../contracts/validate.ts";
import { StorageError } from "../errors.ts";

/** Name of the database in a store's folder. */
const DATABASE = "lodestore.db";

/** Returns the absolute path of a folder in which there is a store.
 *  @throws StorageError INVALID_INPUT (no path), NOT_FOUND */
export async function findStoreDirectory(dir: unknown): Promise<string> {
  const site = { capability: "store", operation: "open" } as const;
  const path = resolve(requireText(site, "dir", dir, { max: 4096 }));
  try {
    await stat(join(path, DATABASE));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError("NOT_FOUND", `there is no store in ${path}: ${reason}`, { ...site, cause });
  }
  return path;
}

/** Returns the absolute path of a store's folder, made when it is absent.
 *  @throws StorageError INVALID_INPUT (no path), DRIVER (it is a file, or cannot be made) */
export async function makeStoreDirectory(dir: unknown): Promise<string> {
  const site = { capability: "store", operation: "open" } as const;
  const path = resolve(requireText(site, "dir", dir, { max: 4096 }));
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError("DRIVER", `the folder ${path} cannot be made: ${reason}`, { ...site, cause });
  }
  return path;
}
