import { type LocalStore, LodestoreStore } from "./lodestore-store.ts";
import { openingStep } from "./opening.ts";
import { prepareStore } from "./prepare-store.ts";
import { closeParts, type StoreParts } from "./store-parts.ts";
import { onceMoreOnFull } from "./upkeep/on-full.ts";
import { RoomAwareDatabase } from "./upkeep/room-aware-database.ts";
import { SpareRoom } from "./upkeep/spare-room.ts";
import { UnboundedStorage } from "./upkeep/unbounded-storage.ts";

/** Brings the schema up to date, repairs what is derived, and returns the store over `parts`. It owns them: closing it closes them.
 *  @throws StorageError UNSUPPORTED (no FTS5; `readOnly`, and it is not up to date), SCHEMA_TOO_NEW, MIGRATION_CHANGED, MIGRATION_MISSING, MIGRATION_FAILED, BAD_FORMAT, CORRUPT, ABORTED */
export async function createStore(parts: StoreParts): Promise<LocalStore> {
  const start = performance.now();
  const step = openingStep(parts.signal);
  const storage = parts.storage ?? new UnboundedStorage(parts.db);
  const spare = new SpareRoom(parts.db, parts.reserve);
  const aware = { ...parts, db: new RoomAwareDatabase(parts.db, storage, spare), storage, spare };
  try {
    const prepared = await onceMoreOnFull(() => prepareStore(aware, step));
    await step();
    return new LodestoreStore(aware, { ...prepared, elapsedMs: performance.now() - start });
  } catch (error) {
    await closeParts(parts);
    throw error;
  }
}
