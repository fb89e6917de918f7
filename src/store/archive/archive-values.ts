import { JOB_STATUSES } from "../../contracts/check-jobs.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { MAX_CHUNK_KEY } from "../documents/chunk-rows.ts";
import { archiveError } from "./archive-error.ts";
import { DATABASE_ENTRY } from "./manifest.ts";

/**
 * What an archive's rows may hold. SQLite keeps any kind of value in any column, and whoever made the database may have made its tables
 * without the constraints of ours: what reads a store relies on more than those.
 */

/** Greatest row number and counter: far above what a store counts to, and far below where numbers are no longer exact. */
export const GREATEST_KEY: number = 2 ** 52;

/** Kinds of values by declared type of the column; NULL is for the constraints to refuse. */
const KINDS: Readonly<Record<string, string>> = {
  INTEGER: "'integer', 'real'",
  REAL: "'real', 'integer'",
  TEXT: "'text'",
  BLOB: "'blob'",
};

/** Columns that are read as JSON, and what it is of. */
const JSON_COLUMNS: Readonly<Record<string, Readonly<Record<string, "array" | "object">>>> = {
  answers: { citations: "array", packed_chunks: "array", metadata: "object" },
  documents: { metadata: "object" },
  blocks: { heading_path: "array" },
  chunks: { block_ids: "array", heading_path: "array" },
  chat_sessions: { metadata: "object" },
  chat_turns: { citations: "array", metadata: "object" },
  jobs: { payload: "object", progress: "object" },
  eval_suites: { queries: "array" },
  eval_runs: { config: "object", metrics: "object" },
  eval_query_results: { hits: "array", found: "array", metrics: "object" },
};

/** Columns that hold one of a few texts. */
const CHOICE_COLUMNS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  jobs: { status: JOB_STATUSES },
};

/** Columns of ids that may be packed, and the bytes of which theirs are a multiple. */
const PACKED_COLUMNS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  blocks: { block_id: 16 },
  chunks: { block_ids: 16 },
};

/** Columns that are counted on from. */
const COUNTED_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  answers: ["sequence"],
  chat_sessions: ["activity"],
  chat_turns: ["turn_index"],
  eval_runs: ["sequence"],
  eval_query_results: ["ordinal"],
  jobs: ["sequence", "attempt"],
};

/** Returns a condition that holds for rows which no store holds.
 *  @param key Columns by which the rows are in order. */
export async function unfitRows(db: SqlExecutor, table: string, key: readonly string[]): Promise<string> {
  const columns = await db.all<{ name: string; type: string }>("SELECT name, type FROM pragma_table_info($1, 'main')", [
    table,
  ]);
  const conditions = columns.flatMap(({ name, type }) => {
    const kinds = KINDS[type];
    if (kinds === undefined) return [];
    return [unlessPacked(table, name, `typeof("${name}") NOT IN (${kinds}, 'null')`)];
  });
  for (const [name, type] of Object.entries(JSON_COLUMNS[table] ?? {})) {
    const unfit = `CASE WHEN json_valid("${name}") THEN json_type("${name}") <> '${type}' ELSE "${name}" IS NOT NULL END`;
    conditions.push(unlessPacked(table, name, unfit));
  }
  for (const [name, choices] of Object.entries(CHOICE_COLUMNS[table] ?? {})) {
    conditions.push(`"${name}" NOT IN (${choices.map((choice) => `'${choice}'`).join(", ")})`);
  }
  for (const name of COUNTED_COLUMNS[table] ?? []) conditions.push(`"${name}" NOT BETWEEN 0 AND ${GREATEST_KEY}`);
  if (key[0] === "rowid") {
    const greatest = table === "chunks" ? MAX_CHUNK_KEY : GREATEST_KEY;
    conditions.push(`rowid NOT BETWEEN 1 AND ${greatest}`);
  }
  return conditions.length === 0 ? "0" : conditions.join(" OR ");
}

/** A condition of a column that may hold packed ids instead. */
function unlessPacked(table: string, name: string, unfit: string): string {
  const bytes = PACKED_COLUMNS[table]?.[name];
  if (bytes === undefined) return unfit;
  return `CASE typeof("${name}") WHEN 'blob' THEN length("${name}") % ${bytes} <> 0 ELSE ${unfit} END`;
}

/** Returns the error about rows that no store holds. */
export function unfit(table: string): Error {
  return archiveError(
    "CORRUPT",
    "import",
    `${DATABASE_ENTRY} in the archive is damaged: ${table} has a row that no store could have written`,
  );
}

/** Whether this is a table of rows, and nothing that computes them. */
export async function isPlainTable(db: SqlExecutor, schema: "main" | "image", name: string): Promise<boolean> {
  const found = await db.get<{ type: string }>("SELECT type FROM pragma_table_list WHERE schema = $1 AND name = $2", [
    schema,
    name,
  ]);
  return found?.type === "table" || found?.type === "shadow";
}
