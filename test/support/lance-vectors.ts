import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { LanceVectorStore, type LanceVectorOptions } from "../../src/drivers/vectors-lance.ts";
import { AllowedChunks } from "../../src/store/allowed-chunks.ts";
import type { AnyVectorStore } from "../../src/store/embeddings/vector-side.ts";
import { indexId } from "../../src/store/ids.ts";
import { ApartVectorStore, type StepHook } from "./apart-vector-store.ts";

/** Vectors in Lance tables of a folder. */
export function lanceVectors(
  db: SqlDatabase,
  dir: string,
  options: Partial<LanceVectorOptions> = {},
): LanceVectorStore {
  return new LanceVectorStore(db, { dir, allowedChunks: new AllowedChunks(db).matching, indexId, ...options });
}

/** Folder of the Lance tables beside a database file. */
export function lanceFolder(file: string): string {
  return join(dirname(file), "vectors");
}

/** Vectors in Lance tables with a hook around their writes; compacted and indexed all the time, for a process that is killed amid it. */
export function hookedLanceVectors(db: SqlDatabase, dir: string, hook: StepHook): AnyVectorStore {
  const policy = { indexAbove: 8, compactAfter: 3, keepVersionsMs: 30_000 };
  return new ApartVectorStore(lanceVectors(db, dir, policy), db, hook);
}

/** A folder that is gone when the test is over. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "lodestore-lance-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
