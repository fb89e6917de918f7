import type { SAHPoolUtil, Sqlite3Static } from "@sqlite.org/sqlite-wasm";
import { storePath } from "./opfs-directory.ts";
import { whileHeldElsewhere } from "./opfs-lock.ts";

/** Files the pool keeps open: the database, its journal or WAL, and room for a journal of either kind while the mode
 *  changes. Temporary files are in memory. */
const CAPACITY = 4;

/** The store's access handles as a VFS of SQLite. */
export interface OpfsPool {
  vfs: string;
  /** Gives the handles back, so that another worker can open the store at once. The database must be closed. */
  release(): void;
}

let opened = 0;

/** Opens the pool of access handles of a store. The caller holds the store's lock. */
export async function openOpfsPool(sqlite3: Sqlite3Static, name: string): Promise<OpfsPool> {
  const pool = await whileHeldElsewhere(() => install(sqlite3, name));
  const release = (): void => void pool.pauseVfs();
  try {
    await pool.reserveMinimumCapacity(CAPACITY);
  } catch (error) {
    release();
    throw error;
  }
  return { vfs: pool.vfsName, release };
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
