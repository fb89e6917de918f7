import { STORE_JOB_KINDS } from "../../contracts/check-jobs.ts";
import type { SqlExecutor, SqlTransaction, SqlValue } from "../../contracts/sql.ts";
import { archiveError } from "./archive-error.ts";
import { isPlainTable, unfit, unfitRows } from "./archive-values.ts";
import { DATABASE_ENTRY } from "./manifest.ts";

/** A table whose rows an import copies. */
export interface ArchiveTable {
  name: string;
  columns: readonly string[];
  /** Columns by which its rows are in order. */
  key: readonly string[];
}

/** Tables whose rows are made anew, by triggers or by the vector engine, or that are merged. */
const MADE_ANEW: ReadonlySet<string> = new Set([
  "schema_migrations",
  "kv",
  "embedding_records",
  "vector_tables",
  "vector_generations",
  "vector_changes",
  "changes",
]);
/** Tables that may have rows in a store that holds nothing; those give way. */
const NO_CONTENT: ReadonlySet<string> = new Set(["ingest_runs", "embedding_models"]);
/** Jobs of the store itself are about what it holds; those of callers are theirs. */
const JOBS_OF_CALLERS = `WHERE kind NOT IN (${STORE_JOB_KINDS.map((kind) => `'${kind}'`).join(", ")})`;

/** Rows that one statement copies. */
const SLICE = 1000;

/** Returns the tables of the schema in the database whose rows stand for themselves: no indexes of text or vectors. */
export async function archiveTables(db: SqlExecutor): Promise<ArchiveTable[]> {
  const tables = await db.all<{ name: string; withoutRowid: number }>(
    `SELECT name, wr AS "withoutRowid" FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
       AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'chunk\\_embeddings\\_%' ESCAPE '\\' ORDER BY name`,
  );
  const found: ArchiveTable[] = [];
  for (const { name, withoutRowid } of tables) {
    if (MADE_ANEW.has(name)) continue;
    const columns = await columnsOf(db, "main", name);
    const primary = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
    const key = withoutRowid === 1 ? primary.map((column) => column.name) : ["rowid"];
    found.push({ name, columns: columns.map((column) => column.name), key });
  }
  return found;
}

/** Returns the columns of a table, none where it is not there. */
export async function columnsOf(
  db: SqlExecutor,
  schema: "main" | "image",
  table: string,
): Promise<{ name: string; pk: number }[]> {
  return db.all<{ name: string; pk: number }>("SELECT name, pk FROM pragma_table_info($1, $2)", [table, schema]);
}

/** @throws StorageError BAD_FORMAT a table of this release is not in the archive, or not as this release has it */
export async function requireTable(db: SqlExecutor, name: string, columns: readonly string[]): Promise<void> {
  const found = new Set((await columnsOf(db, "image", name)).map((column) => column.name));
  if ((await isPlainTable(db, "image", name)) && columns.every((column) => found.has(column))) return;
  throw archiveError(
    "BAD_FORMAT",
    "import",
    `${DATABASE_ENTRY} in the archive has no table ${name} as this release has it`,
  );
}

/** Returns the names of the tables of the store that hold something. */
export async function tablesWithContent(db: SqlExecutor, tables: readonly ArchiveTable[]): Promise<string[]> {
  const held: string[] = [];
  for (const { name } of tables) {
    if (NO_CONTENT.has(name)) continue;
    const which = name === "jobs" ? JOBS_OF_CALLERS : "";
    if ((await db.get(`SELECT 1 AS found FROM main."${name}" ${which} LIMIT 1`)) !== undefined) held.push(name);
  }
  return held;
}

/** Deletes every row of these tables and of the embedding records. */
export async function emptyTables(tx: SqlTransaction, tables: readonly ArchiveTable[]): Promise<void> {
  await tx.run("PRAGMA defer_foreign_keys = ON");
  for (const { name } of tables) await tx.run(`DELETE FROM main."${name}"`);
  await tx.run("DELETE FROM main.embedding_records");
}

/** Copies a table of the attached image in slices, in the order of its keys.
 *  @param onSlice Told how many rows were written; what it rejects with ends the copy.
 *  @throws StorageError CORRUPT it holds what no store could have written */
export async function copyTable(
  tx: SqlTransaction,
  { name, columns, key }: ArchiveTable,
  onSlice: (rows: number) => Promise<void>,
): Promise<void> {
  const rowid = key[0] === "rowid" && !columns.includes("rowid") ? ["rowid"] : [];
  const copied = [...rowid, ...columns].map(quoted).join(", ");
  const keys = key.map(quoted).join(", ");
  const place = (from: number): string => `(${key.map((_, at) => `$${from + at}`).join(", ")})`;
  const isUnfit = await unfitRows(tx, name, key);
  let left = (await tx.get<{ n: number }>(`SELECT count(*) AS n FROM image."${name}"`))?.n ?? 0;
  let after: SqlValue[] | undefined;
  for (;;) {
    const follow = after === undefined ? "1" : `(${keys}) > ${place(1)}`;
    const named = key.map((column, at) => `${quoted(column)} AS k${at}`).join(", ");
    const last = await tx.get<Record<string, SqlValue>>(
      `SELECT ${named} FROM image."${name}" WHERE ${follow} ORDER BY ${keys} LIMIT 1 OFFSET ${SLICE - 1}`,
      after ?? [],
    );
    const end = last === undefined ? undefined : key.map((_, at) => last[`k${at}`] ?? null);
    const within = end === undefined ? "1" : `(${keys}) <= ${place(1 + (after?.length ?? 0))}`;
    const range = [...(after ?? []), ...(end ?? [])];
    const slice = `FROM image."${name}" WHERE ${follow} AND ${within}`;
    if ((await tx.get(`SELECT 1 AS found ${slice} AND (${isUnfit}) LIMIT 1`, range)) !== undefined) throw unfit(name);
    const { changes } = await tx.run(
      `INSERT INTO main."${name}" (${copied}) SELECT ${copied} ${slice} ORDER BY ${keys}`,
      range,
    );
    left -= changes;
    await onSlice(changes);
    if (end === undefined) break;
    after = end;
  }
  // Keys that cannot be put in order hide rows.
  if (left !== 0) throw unfit(name);
}

function quoted(column: string): string {
  return column === "rowid" ? column : `"${column.replaceAll('"', '""')}"`;
}
