import type { SqlDatabase } from "../contracts/sql.ts";
import type { CheckFinding, CheckReport } from "../contracts/store.ts";
import { StorageError } from "../errors.ts";
import { RECORD_PROBLEMS, unfinishedRecords, vectorProblems } from "./embeddings/examine.ts";
import type { AnyVectorStore } from "./embeddings/vector-side.ts";

/** Looks for damage; reads everything, changes nothing. */
export async function checkStore(db: SqlDatabase, vectors?: AnyVectorStore): Promise<CheckReport> {
  const findings = [
    await finding("file integrity", async () => {
      const rows = await db.all<{ integrity_check: string }>("PRAGMA integrity_check(20)");
      return rows.map((row) => row.integrity_check).filter((text) => text !== "ok");
    }),
    await finding("foreign keys", async () => {
      const rows = await db.all<{ table: string; rowid: number | null; parent: string }>("PRAGMA foreign_key_check");
      return rows.slice(0, 20).map((row) => `${row.table} row ${row.rowid ?? "?"} has no ${row.parent}`);
    }),
    // FTS5's own command for this is an insert, which a connection that only reads cannot make.
    await finding("text index structure", async () => {
      const rows = await db.all<{ integrity_check: string }>("PRAGMA integrity_check(chunks_fts)");
      return rows.map((row) => row.integrity_check).filter((text) => text !== "ok");
    }),
    await finding("text index in step with chunks", () =>
      problems(
        db,
        `SELECT 'chunk ' || chunk_id || ' is not indexed' AS problem FROM chunks
         WHERE chunk_key NOT IN (SELECT id FROM chunks_fts_docsize)
         UNION ALL
         SELECT 'index row ' || id || ' has no chunk' FROM chunks_fts_docsize WHERE id NOT IN (SELECT chunk_key FROM chunks)`,
      ),
    ),
    await finding("whole documents", () =>
      problems(
        db,
        `SELECT 'chunks of ' || d.workspace_path || ' are not numbered without gaps' AS problem
         FROM chunks c JOIN documents d ON d.document_key = c.document_key
         GROUP BY c.document_key HAVING count(*) <> max(c.ordinal) + 1
         UNION ALL
         SELECT 'blocks of ' || d.workspace_path || ' are not numbered without gaps'
         FROM blocks b JOIN documents d ON d.document_key = b.document_key
         GROUP BY b.document_key HAVING count(*) <> max(b.ordinal) + 1`,
      ),
    ),
    await finding("corpus revision", () =>
      problems(
        db,
        `SELECT 'kv holds no whole number as corpus_revision' AS problem
         WHERE NOT EXISTS (SELECT 1 FROM kv WHERE key = 'corpus_revision' AND value <> '' AND value NOT GLOB '*[^0-9]*')`,
      ),
    ),
    await finding("asset bytes", () =>
      problems(
        db,
        `SELECT 'bytes of asset ' || asset_id || ' are missing' AS problem FROM assets
         WHERE blob_key IS NOT NULL AND blob_key NOT IN (SELECT blob_key FROM blobs)`,
      ),
    ),
    await embeddingRecords(db),
    ...(vectors === undefined
      ? []
      : [await finding("vectors in step with embedding records", () => vectorProblems(db, vectors))]),
  ];
  return { ok: findings.every((one) => one.ok), findings };
}

/** Pending records and tombstones are no damage, but named. */
async function embeddingRecords(db: SqlDatabase): Promise<CheckFinding> {
  const found = await finding("embedding records", () => problems(db, RECORD_PROBLEMS));
  const unfinished = found.ok ? await unfinishedRecords(db) : "";
  return unfinished === "" ? found : { ...found, detail: `ok; ${unfinished}, for the next run or sweep` };
}

async function problems(db: SqlDatabase, sql: string): Promise<string[]> {
  const rows = await db.all<{ problem: string }>(`SELECT problem FROM (${sql}) LIMIT 20`);
  return rows.map((row) => row.problem);
}

/** Runs one look; damage that stops the look itself is a finding too. */
async function finding(name: string, look: () => Promise<string[]>): Promise<CheckFinding> {
  try {
    const found = await look();
    return { name, ok: found.length === 0, detail: found.length === 0 ? "ok" : found.join("; ") };
  } catch (error) {
    if (error instanceof StorageError && (error.code === "CLOSED" || error.code === "ABORTED")) throw error;
    return { name, ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}
