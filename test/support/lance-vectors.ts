import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { FindAllowed } from "../../src/contracts/vectors.ts";
import { LanceVectorStore, type LanceVectorOptions } from "../../src/drivers/vectors-lance.ts";
import { AllowedChunks } from "../../src/drivers/vectors/allowed-chunks.ts";
import { compileDocumentFilter } from "../../src/store/document-filter.ts";
import { indexId } from "../../src/store/ids.ts";

/** Vectors in Lance tables of a folder. */
export function lanceVectors(
  db: SqlDatabase,
  dir: string,
  options: Partial<LanceVectorOptions> = {},
): LanceVectorStore {
  const filters = new AllowedChunks(db, compileDocumentFilter);
  const allowedChunks: FindAllowed = async (filter) => ({ keys: (await filters.matching(filter)).keys.toSorted() });
  return new LanceVectorStore(db, { dir, allowedChunks, indexId, ...options });
}

/** A folder that is gone when the test is over. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "lodestore-lance-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
