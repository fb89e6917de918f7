import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { requireText } from "../contracts/validate.ts";
import { StorageError } from "../errors.ts";

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
