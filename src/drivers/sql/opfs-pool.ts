import type { SAHPoolUtil, Sqlite3Static } from "@sqlite.org/sqlite-wasm";
import { storePath } from "./opfs-directory.ts";
import { whileHeldElsewhere } from "./opfs-lock.ts";

/** Files the pool keeps open: the database, its journal or WAL, and room for a journal of either kind while the mode
 *  changes. Temporary files are in memory. */
const CAPACITY = 4;
/** Files that an image needs beside those: its own and a journal. */
const IMAGE_FILES = 2;
const IMAGE_FILE = /^\/image-\d+/u;

/** The store's access handles as a VFS of SQLite. */
export interface OpfsPool {
  vfs: string;
  /** Makes room for one image more, and names its file. */
  reserveImage(): Promise<string>;
  /** Writes a file of the pool, piece by piece until there is none. */
  write(file: string, next: () => Promise<Uint8Array | undefined>): Promise<void>;
  /** Deletes an image with its journal. */
  remove(file: string): void;
  /** Gives the handles back, so that another worker can open the store at once. The database must be closed. */
  release(): void;
}

let opened = 0;
let images = 0;

/** Opens the pool of access handles of a store. The caller holds the store's lock. */
export async function openOpfsPool(sqlite3: Sqlite3Static, name: string): Promise<OpfsPool> {
  const pool = await whileHeldElsewhere(() => install(sqlite3, name));
  const release = (): void => void pool.pauseVfs();
  const inUse = new Set<string>();
  const remove = (file: string): void => {
    for (const name of pool.getFileNames()) if (name.startsWith(file)) pool.unlink(name);
    inUse.delete(file);
  };
  try {
    await pool.reserveMinimumCapacity(CAPACITY);
    // What a worker left that ended in the middle.
    for (const name of pool.getFileNames()) if (IMAGE_FILE.test(name)) pool.unlink(name);
  } catch (error) {
    release();
    throw error;
  }
  return {
    vfs: pool.vfsName,
    release,
    remove,
    reserveImage: async () => {
      const file = `/image-${++images}.sqlite3`;
      inUse.add(file);
      await pool.reserveMinimumCapacity(CAPACITY + inUse.size * IMAGE_FILES);
      return file;
    },
    write: async (file, next) => void (await pool.importDb(file, next)),
  };
}

/** A VFS name is used once: sqlite-wasm remembers what became of it. */
function install(sqlite3: Sqlite3Static, name: string): Promise<SAHPoolUtil> {
  opened++;
  const options = {
    name: `lodestore-${opened}`,
    directory: `${storePath(name)}/pool`,
    initialCapacity: CAPACITY,
    // Without this a failure to open deletes the files.
    preserveOnInitFailure: true,
  };
  return sqlite3.installOpfsSAHPoolVfs(options);
}
