import type { SqlDatabase } from "../contracts/sql.ts";
import type { CheckFinding, CheckReport } from "../contracts/store.ts";
import { StorageError } from "../errors.ts";
import { nextTurn } from "../turns.ts";
import { ANSWER_PROBLEMS } from "./answers/examine-answers.ts";
import { TURN_INDEX_PROBLEMS, TURN_PROBLEMS } from "./chat/examine-chat.ts";
import type { AssetBlobs } from "./documents/asset-rows.ts";
import { damagedExternal, otherBytes, strayExternal } from "./documents/examine-assets.ts";
import { STRAY_IN_DATABASE } from "./documents/sweep-blobs.ts";
import { indexFindings, isKeptElsewhere } from "./embeddings/examine-indexes.ts";
import { EVALUATION_PROBLEMS } from "./evaluation/examine-evaluations.ts";
import { RECORD_PROBLEMS, unfinishedRecords, vectorProblems } from "./embeddings/examine.ts";
import { UNUSED_ASSET_PROBLEMS, unusedAssets, VECTOR_LEFTOVER_PROBLEMS } from "./repair/leftovers.ts";
import { triggerProblems } from "./repair/schema-triggers.ts";
import type { AnyVectorStore } from "./embeddings/vector-side.ts";

/** What is looked at, by name. */
export const FINDINGS = {
  file: "file integrity",
  foreignKeys: "foreign keys",
  triggers: "triggers of the schema",
  textStructure: "text index structure",
  textInStep: "text index in step with chunks",
  documents: "whole documents",
  chatStructure: "chat index structure",
  chatInStep: "chat index in step with turns",
  chat: "whole chat sessions",
  answers: "grounded answers",
  evaluations: "whole evaluation runs",
  revision: "corpus revision",
  assetBytes: "asset bytes",
  assetHashes: "asset hashes",
  strayBytes: "bytes that no asset has",
  unusedAssets: "assets that no document has",
  records: "embedding records",
  vectors: "vectors in step with embedding records",
  vectorLeftovers: "leftovers of vector indexes",
  indexes: "vector indexes",
} as const;

/** Most problems of one kind that are named. */
const NAMED = 20;
/** Greatest revision that may still be raised by one. */
const GREATEST_REVISION: number = Number.MAX_SAFE_INTEGER - 1;

/** What a check knows of the bytes of assets. */
export interface CheckedBytes {
  blobs: AssetBlobs;
  /** Whether all of them are read. */
  deep: boolean;
  signal?: AbortSignal | undefined;
}

/** Looks for damage; reads everything, changes nothing. */
export async function checkStore(
  db: SqlDatabase,
  vectors: AnyVectorStore | undefined,
  { blobs, deep, signal }: CheckedBytes,
): Promise<CheckReport> {
  const { external } = blobs;
  const findings = [
    await finding(FINDINGS.file, async () => {
      const rows = await db.all<{ integrity_check: string }>(`PRAGMA integrity_check(${NAMED})`);
      return rows.map((row) => row.integrity_check).filter((text) => text !== "ok" && !isAboutTextIndex(text));
    }),
    await finding(FINDINGS.foreignKeys, async () => {
      const rows = await db.all<{ table: string; rowid: number | null; parent: string }>("PRAGMA foreign_key_check");
      return rows.map((row) =>
        row.rowid === null
          ? `a row of ${row.table} has no ${row.parent}`
          : `${row.table} row ${row.rowid} has no ${row.parent}`,
      );
    }),
    await finding(FINDINGS.triggers, () => triggerProblems(db)),
    await finding(FINDINGS.textStructure, () => indexStructure(db, "chunks_fts")),
    await finding(FINDINGS.textInStep, () =>
      problems(
        db,
        `SELECT 'chunk ' || chunk_id || ' is not indexed' AS problem FROM chunks
         WHERE chunk_key NOT IN (SELECT id FROM chunks_fts_docsize)
         UNION ALL
         SELECT 'index row ' || id || ' has no chunk' FROM chunks_fts_docsize WHERE id NOT IN (SELECT chunk_key FROM chunks)`,
      ),
    ),
    await finding(FINDINGS.documents, () =>
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
    await finding(FINDINGS.chatStructure, () => indexStructure(db, "chat_turns_fts")),
    await finding(FINDINGS.chatInStep, () => problems(db, TURN_INDEX_PROBLEMS)),
    await finding(FINDINGS.chat, () => problems(db, TURN_PROBLEMS)),
    await finding(FINDINGS.answers, () => problems(db, ANSWER_PROBLEMS)),
    await finding(FINDINGS.evaluations, () => problems(db, EVALUATION_PROBLEMS)),
    await finding(FINDINGS.revision, () =>
      problems(
        db,
        `SELECT 'kv holds no whole number as corpus_revision' AS problem
         WHERE NOT EXISTS (SELECT 1 FROM kv WHERE key = 'corpus_revision' AND value <> '' AND value NOT GLOB '*[^0-9]*'
           AND CAST(value AS INTEGER) <= ${GREATEST_REVISION})`,
      ),
    ),
    await finding(FINDINGS.assetBytes, async () => [
      ...(await problems(
        db,
        `SELECT 'bytes of asset ' || a.asset_id || ' are missing'
           || coalesce(' (' || (SELECT d.workspace_path FROM documents d WHERE d.asset_id = a.asset_id LIMIT 1) || ')', '') AS problem
         FROM assets a
         WHERE a.blob_key IS NOT NULL AND a.blob_store IS NULL AND a.blob_key NOT IN (SELECT blob_key FROM blobs)`,
      )),
      ...(await firstOf(damagedExternal(db, external), ({ problem }) => problem)),
    ]),
    await finding(FINDINGS.strayBytes, async () => [
      ...(await problems(db, `SELECT 'no asset has the bytes ' || blob_key AS problem FROM (${STRAY_IN_DATABASE})`)),
      ...(external === undefined ? [] : await firstOf(strayExternal(db, external), (problem) => problem)),
    ]),
    ...(deep
      ? [await finding(FINDINGS.assetHashes, () => firstOf(otherBytes(db, blobs, signal), ({ problem }) => problem))]
      : []),
    await assetsInUse(db),
    await embeddingRecords(db),
    await finding(FINDINGS.vectorLeftovers, () => problems(db, VECTOR_LEFTOVER_PROBLEMS)),
    ...(vectors === undefined ? [] : await vectorFindings(db, vectors)),
  ];
  return { ok: findings.every((one) => one.ok), findings };
}

/** SQLite's own check of the file looks at the text indexes, too, which are derived: they have findings of their own. */
function isAboutTextIndex(problem: string): boolean {
  return /\bfts5\b.*\b(?:chunks|chat_turns)_fts\b/i.test(problem);
}

/** Of the one table, and without writing, which FTS5's own command does. */
async function indexStructure(db: SqlDatabase, table: "chunks_fts" | "chat_turns_fts"): Promise<string[]> {
  const rows = await db.all<{ integrity_check: string }>(`PRAGMA integrity_check(${table})`);
  return rows.map((row) => row.integrity_check).filter((text) => text !== "ok");
}

async function vectorFindings(db: SqlDatabase, vectors: AnyVectorStore): Promise<CheckFinding[]> {
  const inStep = await finding(FINDINGS.vectors, () => vectorProblems(db, vectors));
  try {
    return [inStep, ...(await indexFindings(vectors))];
  } catch (error) {
    // Whoever keeps them looks at them.
    if (isKeptElsewhere(error)) return [inStep];
    return [inStep, failed(FINDINGS.indexes, error)];
  }
}

/** An asset is put before its document: one that is new is no leftover yet, but named. */
async function assetsInUse(db: SqlDatabase): Promise<CheckFinding> {
  let unused = 0;
  const found = await finding(FINDINGS.unusedAssets, async () => {
    const left = await problems(db, UNUSED_ASSET_PROBLEMS);
    if (left.length === 0) unused = await unusedAssets(db);
    return left;
  });
  return unused === 0 ? found : { ...found, detail: `ok; ${unused} put within the last day, for documents to come` };
}

/** Pending records and tombstones are no damage, but named. */
async function embeddingRecords(db: SqlDatabase): Promise<CheckFinding> {
  let unfinished = "";
  const found = await finding(FINDINGS.records, async () => {
    const left = await problems(db, RECORD_PROBLEMS);
    if (left.length === 0) unfinished = await unfinishedRecords(db);
    return left;
  });
  return unfinished === "" ? found : { ...found, detail: `ok; ${unfinished}, for the next run or sweep` };
}

/** The first of what a look finds, and one more than are named. */
async function firstOf<T>(found: AsyncIterable<T>, name: (one: T) => string): Promise<string[]> {
  const names: string[] = [];
  for await (const one of found) if (names.push(name(one)) > NAMED) break;
  return names;
}

async function problems(db: SqlDatabase, sql: string): Promise<string[]> {
  const rows = await db.all<{ problem: string }>(`SELECT problem FROM (${sql}) LIMIT ${NAMED + 1}`);
  return rows.map((row) => row.problem);
}

/** Runs one look, in a turn of its own: what it looks at may be large. Damage that stops the look itself is a finding too. */
async function finding(name: string, look: () => Promise<string[]>): Promise<CheckFinding> {
  await nextTurn();
  try {
    const found = await look();
    if (found.length === 0) return { name, ok: true, detail: "ok" };
    const more = found.length > NAMED ? ["and more"] : [];
    return { name, ok: false, detail: [...found.slice(0, NAMED), ...more].join("; ") };
  } catch (error) {
    return failed(name, error);
  }
}

function failed(name: string, error: unknown): CheckFinding {
  if (error instanceof StorageError && (error.code === "CLOSED" || error.code === "ABORTED")) throw error;
  return { name, ok: false, detail: error instanceof Error ? error.message : String(error) };
}
