import { splitSqlScript } from "../../contracts/sql-text.ts";
import type { SqlDatabase, SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { migrations } from "../../sql/migrations.generated.ts";
import { goOn, type OpeningStep } from "../opening.ts";
import { TERMS_VERSION } from "./terms.ts";

const OBJECTS = ["chunks_fts", "chunks_ai", "chunks_ad", "chunks_au"];

/** Migration that makes the index and its triggers. */
const TEXT_INDEX_MIGRATION = 2;

/**
 * Makes sure that the text index is there, made by this version's terms, and holds every chunk; rebuilds it where it
 * is not. The index is derived: losing it costs time, never data.
 * @param created the database is new, so that the index is empty and right.
 * @returns what was rebuilt and why, for the open report.
 */
export async function ensureTextIndex(db: SqlDatabase, created: boolean, step: OpeningStep = goOn): Promise<string[]> {
  const reason = created ? undefined : await whatIsWrong(db);
  if (reason !== undefined) {
    if (reason.recreate) await remakeTextIndex(db, async () => {}, step);
    else
      await db.transaction(async (tx) => {
        await fillTextIndex(tx, step);
        await rememberVersion(tx);
      });
    return [`text index: ${reason.text}`];
  }
  if (created) await rememberVersion(db);
  return [];
}

/** Sees that the text index of a database which is only read is as `ensureTextIndex` would leave it.
 *  @throws StorageError UNSUPPORTED */
export async function requireTextIndex(db: SqlDatabase): Promise<void> {
  const reason = await whatIsWrong(db);
  if (reason === undefined) return;
  throw new StorageError(
    "UNSUPPORTED",
    `the text index would have to be rebuilt (${reason.text}), which reading only cannot do: open the store for writing once`,
    { capability: "search", operation: "open" },
  );
}

/** Drops the text index with its triggers, whatever state it is in, makes it anew and fills it from the chunks: all or nothing.
 *  @param between Changes chunks while there is no index that would have to follow. */
export async function remakeTextIndex<T>(
  db: SqlDatabase,
  between: (tx: SqlExecutor) => Promise<T>,
  step: OpeningStep = goOn,
): Promise<T> {
  return db.transaction(async (tx) => {
    for (const name of OBJECTS.slice(1)) await tx.run(`DROP TRIGGER IF EXISTS ${name}`);
    await tx.run("DROP TABLE IF EXISTS chunks_fts");
    const result = await between(tx);
    for (const statement of indexStatements()) await tx.run(statement);
    await fillTextIndex(tx, step);
    await rememberVersion(tx);
    return result;
  });
}

/** Chunks that are indexed in one statement: some tens of milliseconds of work. */
const FILL_CHUNKS = 500;

/** Empties the text index and fills it from the chunks.
 *  @param onBatch Told how many chunks are indexed, now and then; what it throws ends the work, which the caller's transaction undoes. */
export async function fillTextIndex(
  db: Pick<SqlExecutor, "run" | "get">,
  onBatch: (done: number) => Promise<void> | void = () => {},
): Promise<void> {
  await db.run("INSERT INTO chunks_fts (chunks_fts) VALUES ('delete-all')");
  let done = 0;
  for (let after = Number.MIN_SAFE_INTEGER; ;) {
    const batch = await db.get<{ last: number | null; n: number }>(
      `SELECT max(chunk_key) AS last, count(*) AS n FROM
         (SELECT chunk_key FROM chunks WHERE chunk_key > $1 ORDER BY chunk_key LIMIT ${FILL_CHUNKS})`,
      [after],
    );
    if (batch === undefined || batch.last === null) break;
    await db.run(
      `INSERT INTO chunks_fts (rowid, heading, text, forms)
       SELECT chunk_key, lodestore_terms(heading_text), lodestore_terms(text), lodestore_forms(heading_text, text)
       FROM chunks WHERE chunk_key > $1 AND chunk_key <= $2 ORDER BY chunk_key`,
      [after, batch.last],
    );
    after = batch.last;
    done += batch.n;
    await onBatch(done);
  }
  await beginTextIndexEpoch(db);
}

/** Says that the index changed in a way that the keys of the chunks do not tell: one was indexed anew under its key, or all were.
 *  Whoever remembers what stood in it reads it again. */
export async function beginTextIndexEpoch(db: Pick<SqlDatabase, "run">): Promise<void> {
  await db.run(
    `INSERT INTO kv (key, value) VALUES ('text_index_epoch', '1')
     ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)`,
  );
}

/** Pages of the index that one step of tidying writes: some milliseconds of work. */
const TIDY_PAGES = 200;

/** Merges the index into one segment, step by step: every commit of an ingest leaves one of its own. Smaller and faster
 *  to search afterwards; other calls get their turn between steps.
 *  @param breathe Called between steps; false ends it there. */
export async function tidyTextIndex(
  db: Pick<SqlDatabase, "transaction">,
  breathe: () => Promise<boolean | void>,
): Promise<void> {
  for (let changed = await merge(db, -TIDY_PAGES); changed >= 2; changed = await merge(db, TIDY_PAGES)) {
    if ((await breathe()) === false) return;
  }
}

/** @returns how many rows it changed: fewer than two where nothing is left to do (FTS5, the 'merge' command). In a transaction, so that what
 *  others write in between does not count: who waited for their last write would wait as long as they go on. */
async function merge(db: Pick<SqlDatabase, "transaction">, pages: number): Promise<number> {
  return db.transaction(async (tx) => {
    const changes = async (): Promise<number> => (await tx.get<{ n: number }>("SELECT total_changes() AS n"))?.n ?? 0;
    const before = await changes();
    await tx.run("INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('merge', $1)", [pages]);
    return (await changes()) - before;
  });
}

async function rememberVersion(db: Pick<SqlDatabase, "run">): Promise<void> {
  await db.run(
    "INSERT INTO kv (key, value) VALUES ('terms_version', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    [TERMS_VERSION],
  );
}

async function whatIsWrong(db: SqlDatabase): Promise<{ text: string; recreate: boolean } | undefined> {
  const found = await db.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type IN ('table', 'trigger')");
  const names = new Set(found.map((row) => row.name));
  const absent = OBJECTS.filter((name) => !names.has(name));
  if (absent.length > 0) return { text: `${absent.join(", ")} was missing`, recreate: true };
  const version = await db.get<{ value: string }>("SELECT value FROM kv WHERE key = 'terms_version'");
  if (version?.value !== TERMS_VERSION) {
    return { text: `made by terms version ${version?.value ?? "none"}, this is ${TERMS_VERSION}`, recreate: false };
  }
  const counts = await db.get<{ chunks: number; indexed: number }>(
    "SELECT (SELECT count(*) FROM chunks) AS chunks, (SELECT count(*) FROM chunks_fts_docsize) AS indexed",
  );
  if (counts !== undefined && counts.chunks !== counts.indexed) {
    return { text: `held ${counts.indexed} of ${counts.chunks} chunks`, recreate: true };
  }
  return undefined;
}

function indexStatements(): string[] {
  const migration = migrations.find((candidate) => candidate.version === TEXT_INDEX_MIGRATION);
  return migration === undefined ? [] : splitSqlScript(migration.sql);
}
