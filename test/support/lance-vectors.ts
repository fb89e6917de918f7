import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { LanceVectorStore, type LanceVectorOptions } from "../../src/drivers/vectors-lance.ts";
import { AllowedChunks } from "../../src/store/allowed-chunks.ts";
import { indexId } from "../../src/store/ids.ts";

/** Vectors in Lance tables of a folder. */
export function lanceVectors(
  db: SqlDatabase,
  dir: string,
  options: Partial<LanceVectorOptions> = {},
): LanceVectorStore {
  return new LanceVectorStore(db, { dir, allowedChunks: new AllowedChunks(db).matching, indexId, ...options });
}

/** A folder that is gone when the test is over. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "lodestore-lance-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
