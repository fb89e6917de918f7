import { StorageError } from "../../errors.ts";
import { isOutOfRoom } from "../out-of-room.ts";

/** Folder of the origin private file system that holds one folder per store. */
const ROOT = ".lodestore";

/** The file in a store's folder whose length is set aside for when the disk is full. */
export const RESERVE_FILE = "reserve";

const NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/;

/** Name of a store as its folder's name.
 *  @throws StorageError INVALID_INPUT */
export function checkStoreName(name: string): string {
  if (typeof name === "string" && NAME.test(name)) return name;
  throw new StorageError(
    "INVALID_INPUT",
    `name must be 1 to 64 of A–Z a–z 0–9 . _ -, got ${JSON.stringify(name) ?? typeof name}`,
    { capability: "sql", operation: "open" },
  );
}

/** @throws StorageError UNSUPPORTED unless this is a dedicated worker of a browser with synchronous access handles */
export function assertAccessHandles(operation: string): void {
  const file = (globalThis as { FileSystemFileHandle?: { prototype: object } }).FileSystemFileHandle;
  if (file !== undefined && "createSyncAccessHandle" in file.prototype) return;
  const message = "OPFS access handles are not there: they need a dedicated worker of a browser that has them";
  throw new StorageError("UNSUPPORTED", message, { capability: "sql", operation });
}

/** The folder above the stores, made when it is not there.
 *  @throws StorageError UNSUPPORTED where this browser, or its private mode, has no origin private file system */
export async function storesDirectory(operation: string): Promise<FileSystemDirectoryHandle> {
  const storage: StorageManager | undefined = globalThis.navigator?.storage;
  if (typeof storage?.getDirectory !== "function") throw unsupported(operation, undefined);
  let origin: FileSystemDirectoryHandle;
  try {
    origin = await storage.getDirectory();
  } catch (error) {
    throw unsupported(operation, error);
  }
  try {
    return await origin.getDirectoryHandle(ROOT, { create: true });
  } catch (error) {
    throw opfsError(error, operation, "");
  }
}

/** The path of a store's folder, from the origin's root. */
export function storePath(name: string): string {
  return `${ROOT}/${name}`;
}

/** What OPFS threw as `StorageError`. */
export function opfsError(error: unknown, operation: string, name: string): StorageError {
  if (error instanceof StorageError) return error;
  const context = { capability: "sql", operation, cause: error } as const;
  const reason = error instanceof Error ? error.message : String(error);
  if (isHeldElsewhere(error)) {
    const message = `the store "${name}" is open in another tab or worker; it can be open in one at a time`;
    return new StorageError("CONFLICT", message, context);
  }
  if (isOutOfRoom(error)) {
    return new StorageError("QUOTA_EXCEEDED", `no storage is left for the store "${name}": ${reason}`, context);
  }
  return new StorageError("DRIVER", `the origin private file system failed: ${reason}`, context);
}

/** Whether an access handle, or a removal, was refused because somebody has the file open. */
export function isHeldElsewhere(error: unknown): boolean {
  return error instanceof Error && error.name === "NoModificationAllowedError";
}

function unsupported(operation: string, cause: unknown): StorageError {
  return new StorageError(
    "UNSUPPORTED",
    "this browser, or its private mode, has no origin private file system (OPFS)",
    {
      capability: "sql",
      operation,
      cause,
    },
  );
}
