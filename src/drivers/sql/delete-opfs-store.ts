import { checkStoreName, opfsError, RESERVE_FILE, storesDirectory } from "./opfs-directory.ts";

/** Deletes a store of this origin with everything in it; nothing happens if there is none. Works in tabs and workers.
 *  @throws StorageError CONFLICT (it is open somewhere), UNSUPPORTED (no OPFS), INVALID_INPUT (name) */
export async function deleteOpfsStore(name: string): Promise<void> {
  const stores = await storesDirectory("delete");
  try {
    await stores.removeEntry(checkStoreName(name), { recursive: true });
  } catch (error) {
    if (error instanceof Error && error.name === "NotFoundError") return;
    throw opfsError(error, "delete", name);
  }
}

/** Bytes of the store's files, journals included and what is set aside for a full disk not; 0 if there is none. Works while the store is open, in tabs and workers.
 *  @throws StorageError UNSUPPORTED (no OPFS), INVALID_INPUT (name) */
export async function opfsStoreBytes(name: string): Promise<number> {
  const stores = await storesDirectory("size");
  try {
    return await bytesIn(await stores.getDirectoryHandle(checkStoreName(name)));
  } catch (error) {
    if (error instanceof Error && error.name === "NotFoundError") return 0;
    throw opfsError(error, "size", name);
  }
}

async function bytesIn(directory: FileSystemDirectoryHandle): Promise<number> {
  let bytes = 0;
  for await (const handle of directory.values()) {
    if (handle.kind === "directory") bytes += await bytesIn(handle);
    else if (handle.name !== RESERVE_FILE) bytes += (await handle.getFile()).size;
  }
  return bytes;
}
