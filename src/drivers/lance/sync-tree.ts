import { open, readdir } from "node:fs/promises";
import { join } from "node:path";

/** A note about the newest version, the only file that is written anew. */
const CHANGING = ".json";

/** Waits until the files below a folder, and the names of those that are new, are on the disk.
 *  @param synced Paths of the files that are: files of Lance never change. Those that are gone are taken out. */
export async function syncTree(folder: string, synced: Set<string>): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const fresh = files.filter((path) => !synced.has(path));
  await Promise.all(fresh.map(syncOne));
  const folders = new Set(fresh.map((path) => join(path, "..")));
  await Promise.all([...folders, ...(fresh.length > 0 ? [folder, join(folder, "..")] : [])].map(syncOne));
  synced.clear();
  for (const path of files) if (!path.endsWith(CHANGING)) synced.add(path);
}

/** What was deleted meanwhile needs no place on the disk; a platform that opens no folders has their names on the disk by itself. */
async function syncOne(path: string): Promise<void> {
  try {
    const handle = await open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "EISDIR" || code === "EPERM" || code === "EINVAL") return;
    throw error;
  }
}
