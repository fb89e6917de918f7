import { isHeldElsewhere, opfsError } from "./opfs-directory.ts";

const LOCK_FILE = "owner";
/** How long the worker of a page that is being reloaded may take to die. */
const WAIT_MS = 1_000;
const RETRY_MS = 20;

/** The exclusive right to a store: while it is held, no other worker of any tab opens it. It ends with the worker. */
export interface OpfsLock {
  release(): void;
}

/** What only dedicated workers have; written out, for a program with the DOM in its types does not know it. */
interface LockableFile {
  createSyncAccessHandle(): Promise<{ close(): void }>;
}

async function takeOpfsLock(directory: FileSystemDirectoryHandle): Promise<OpfsLock> {
  const file: unknown = await directory.getFileHandle(LOCK_FILE, { create: true });
  const handle = await whileHeldElsewhere(() => (file as LockableFile).createSyncAccessHandle());
  return { release: () => handle.close() };
}

/** Tries `open` again while another worker has the file, for a short time: a reloaded page meets its predecessor's worker. */
export async function whileHeldElsewhere<T>(open: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!isHeldElsewhere(error) || performance.now() >= deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Runs `open` with the store's lock, waiting up to a second for it, and keeps it if `open` succeeds.
 *  @throws StorageError CONFLICT (somebody has it), QUOTA_EXCEEDED, DRIVER, and what `open` throws */
export async function withOpfsLock<T>(
  directory: FileSystemDirectoryHandle,
  name: string,
  open: (lock: OpfsLock) => Promise<T>,
): Promise<T> {
  let lock: OpfsLock | undefined;
  try {
    lock = await takeOpfsLock(directory);
    return await open(lock);
  } catch (error) {
    lock?.release();
    throw opfsError(error, "open", name);
  }
}
