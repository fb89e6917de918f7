import type { RoomReserve } from "../../contracts/room-reserve.ts";
import { isOutOfRoom } from "../out-of-room.ts";
import { checkStoreName, opfsError, RESERVE_FILE, storesDirectory } from "./opfs-directory.ts";

/** More than a checkpoint adds to the database when it comes to a full disk. The WAL holds 4 MB and a group of documents when it is taken
 *  in, and may have grown by as much again when that no longer worked. */
const RESERVE_BYTES = 12 * 1024 * 1024;

/** What the DOM types for pages leave out. */
interface GrowableFile {
  createSyncAccessHandle(): Promise<{ truncate(bytes: number): void; getSize(): number; close(): void }>;
}

/** The room that a store in the origin private file system sets aside: a file with nothing in it, which counts against the quota. Only in
 *  dedicated workers, for who has the store. */
export function openOpfsReserve({ name }: { name: string }): RoomReserve {
  return {
    bytes: RESERVE_BYTES,
    take: () => attempt(name, async (folder) => grow(await folder.getFileHandle(RESERVE_FILE, { create: true }))),
    giveUp: () => attempt(name, remove),
  };
}

async function grow(file: FileSystemFileHandle): Promise<boolean> {
  if ((await file.getFile()).size >= RESERVE_BYTES) return true;
  const handle = await (file as FileSystemFileHandle & GrowableFile).createSyncAccessHandle();
  try {
    handle.truncate(RESERVE_BYTES);
    return handle.getSize() >= RESERVE_BYTES;
  } catch (error) {
    if (!isOutOfRoom(error)) throw error;
    return false;
  } finally {
    handle.close();
  }
}

async function remove(folder: FileSystemDirectoryHandle): Promise<boolean> {
  try {
    const file = await folder.getFileHandle(RESERVE_FILE);
    const { size } = await file.getFile();
    await folder.removeEntry(RESERVE_FILE);
    return size > 0;
  } catch (error) {
    if (error instanceof Error && error.name === "NotFoundError") return false;
    throw error;
  }
}

async function attempt(name: string, work: (folder: FileSystemDirectoryHandle) => Promise<boolean>): Promise<boolean> {
  const stores = await storesDirectory("reserve");
  try {
    return await work(await stores.getDirectoryHandle(checkStoreName(name)));
  } catch (error) {
    if (isOutOfRoom(error)) return false;
    throw opfsError(error, "reserve", name);
  }
}
