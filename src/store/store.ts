import { type LocalStore, LodestoreStore } from "./lodestore-store.ts";
import { openingStep } from "./opening.ts";
import { prepareStore } from "./prepare-store.ts";
import { closeParts, type StoreParts } from "./store-parts.ts";

/** Brings the schema up to date, repairs what is derived, and returns the store over `parts`. It owns them: closing it closes them.
 *  @throws StorageError UNSUPPORTED (no FTS5; `readOnly`, and it is not up to date), SCHEMA_TOO_NEW, MIGRATION_CHANGED, MIGRATION_MISSING, MIGRATION_FAILED, BAD_FORMAT, CORRUPT, ABORTED */
export async function createStore(parts: StoreParts): Promise<LocalStore> {
  const start = performance.now();
  const step = openingStep(parts.signal);
  try {
    const prepared = await prepareStore(parts, step);
    await step();
    return new LodestoreStore(parts, { ...prepared, elapsedMs: performance.now() - start });
  } catch (error) {
    await closeParts(parts);
    throw error;
  }
}
