import { splitSqlScript } from "../../contracts/sql-text.ts";
import type { SqlDatabase, SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { migrations } from "../../sql/migrations.generated.ts";
import { TERMS_VERSION } from "../search/terms.ts";

/** The text index over turns. It is derived, as that over chunks is. */
const TABLE = "chat_turns_fts";
const TRIGGERS = ["chat_turns_ai", "chat_turns_ad", "chat_turns_au"];

/** Migration that makes the index and its triggers, among other things. */
const MIGRATION = "V008__chat_turns";
const MAKES_INDEX = /^CREATE (?:VIRTUAL TABLE|TRIGGER) chat_turns_/u;

/**
 * Makes sure that the text index over turns is there, made by this version's terms, and holds every turn; makes it anew where it is not.
 * @param applied Names of the migrations that were applied just now: an index that is new is right.
 * @returns what was rebuilt and why, for the open report.
 */
export async function ensureTurnIndex(db: SqlDatabase, applied: readonly string[]): Promise<string[]> {
  if (applied.includes(MIGRATION)) {
    await rememberVersion(db);
    return [];
  }
  const reason = await whatIsWrong(db);
  if (reason === undefined) return [];
  await remakeTurnIndex(db);
  return [`chat index: ${reason}`];
}

/** Sees that the text index of a database which is only read is as `ensureTurnIndex` would leave it.
 *  @throws StorageError UNSUPPORTED */
export async function requireTurnIndex(db: SqlDatabase): Promise<void> {
  const reason = await whatIsWrong(db);
  if (reason === undefined) return;
  throw new StorageError(
    "UNSUPPORTED",
    `the chat index would have to be rebuilt (${reason}), which reading only cannot do: open the store for writing once`,
    { capability: "search", operation: "open" },
  );
}

/** Drops the index with its triggers, whatever state it is in, makes it anew and fills it from the turns: all or nothing. */
export async function remakeTurnIndex(db: SqlDatabase): Promise<void> {
  await db.transaction(async (tx) => {
    for (const name of TRIGGERS) await tx.run(`DROP TRIGGER IF EXISTS ${name}`);
    await tx.run(`DROP TABLE IF EXISTS ${TABLE}`);
    for (const statement of indexStatements()) await tx.run(statement);
    await tx.run(
      `INSERT INTO chat_turns_fts (rowid, text, forms)
       SELECT turn_key, lodestore_terms(content), lodestore_forms('', content) FROM chat_turns ORDER BY turn_key`,
    );
    await rememberVersion(tx);
  });
}

async function rememberVersion(db: SqlExecutor): Promise<void> {
  await db.run(
    "INSERT INTO kv (key, value) VALUES ('chat_terms_version', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    [TERMS_VERSION],
  );
}

async function whatIsWrong(db: SqlDatabase): Promise<string | undefined> {
  const found = await db.all<{ name: string }>("SELECT name FROM sqlite_schema WHERE type IN ('table', 'trigger')");
  const names = new Set(found.map(({ name }) => name));
  const absent = [TABLE, ...TRIGGERS].filter((name) => !names.has(name));
  if (absent.length > 0) return `${absent.join(", ")} was missing`;
  const version = await db.get<{ value: string }>("SELECT value FROM kv WHERE key = 'chat_terms_version'");
  if (version?.value !== TERMS_VERSION) {
    return `made by terms version ${version?.value ?? "none"}, this is ${TERMS_VERSION}`;
  }
  const counts = await db.get<{ turns: number; indexed: number }>(
    "SELECT (SELECT count(*) FROM chat_turns) AS turns, (SELECT count(*) FROM chat_turns_fts_docsize) AS indexed",
  );
  if (counts === undefined || counts.turns === counts.indexed) return undefined;
  return `held ${counts.indexed} of ${counts.turns} turns`;
}

function indexStatements(): string[] {
  const migration = migrations.find(({ name }) => name === MIGRATION);
  return splitSqlScript(migration?.sql ?? "").filter((statement) => MAKES_INDEX.test(bare(statement)));
}

/** The statement without the comments before it. */
function bare(statement: string): string {
  return statement.replace(/^(?:\s+|--[^\n]*\n)+/u, "");
}
