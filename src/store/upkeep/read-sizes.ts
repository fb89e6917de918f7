import type { SqlDatabase } from "../../contracts/sql.ts";
import type { StoredObject, StoreSizes, TextIndexHealth } from "../../contracts/upkeep.ts";
import { TurnTaker } from "../../turns.ts";

interface SchemaRow {
  name: string;
  type: "table" | "index";
  /** Whether it is a virtual table, which has no pages of its own. */
  virtual: 0 | 1;
}

/** The text indexes, what each is over, and where the version of its terms is remembered. */
const TEXT_INDEXES = [
  { name: "chunks_fts", over: "chunks", version: "terms_version" },
  { name: "chat_turns_fts", over: "chat_turns", version: "chat_terms_version" },
] as const;

const FULLTEXT = /^(?:chunks|chat_turns)_fts_/u;
const VECTORS = /^chunk_embeddings_/u;

/** Tells where the bytes of the database are; reads all of it, one table after the other.
 *  @see https://www.sqlite.org/dbstat.html */
export async function readSizes(db: SqlDatabase): Promise<StoreSizes> {
  const turns = new TurnTaker();
  const measured = await hasDbstat(db);
  const rows = await db.all<SchemaRow>(
    `SELECT name, type, rootpage = 0 AS virtual FROM sqlite_schema WHERE type IN ('table', 'index')
     UNION ALL SELECT 'sqlite_schema', 'table', 0`,
  );
  const objects: StoredObject[] = [];
  for (const { name, type, virtual } of rows) {
    if (virtual === 1) continue;
    objects.push({
      name,
      kind: kindOf(name, type),
      rows: type === "table" ? await rowsOf(db, name) : null,
      bytes: measured ? await bytesOf(db, name) : null,
    });
    await turns.breathe();
  }
  objects.sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0) || (a.name < b.name ? -1 : 1));
  return {
    objects,
    textIndexes: await textIndexes(db),
    otherBytes: measured ? await otherBytes(db, objects) : null,
    measured,
  };
}

function kindOf(name: string, type: "table" | "index"): StoredObject["kind"] {
  if (type === "index") return "index";
  if (FULLTEXT.test(name)) return "fulltext";
  return VECTORS.test(name) ? "vectors" : "table";
}

/** Engines are built with it or not. */
async function hasDbstat(db: SqlDatabase): Promise<boolean> {
  return (await db.get("SELECT 1 FROM pragma_module_list WHERE name = 'dbstat'")) !== undefined;
}

async function rowsOf(db: SqlDatabase, table: string): Promise<number> {
  const row = await db.get<{ n: number }>(`SELECT count(*) AS n FROM "${table.replaceAll('"', '""')}"`);
  return row?.n ?? 0;
}

async function bytesOf(db: SqlDatabase, name: string): Promise<number> {
  const row = await db.get<{ bytes: number }>(
    "SELECT coalesce(sum(pgsize), 0) AS bytes FROM dbstat WHERE name = $1 AND aggregate = TRUE",
    [name],
  );
  return row?.bytes ?? 0;
}

/** What is neither of a table nor of an index nor free. */
async function otherBytes(db: SqlDatabase, objects: readonly StoredObject[]): Promise<number> {
  const row = await db.get<{ used: number }>(
    `SELECT (page_count - freelist_count) * page_size AS used
     FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
  );
  return Math.max(0, (row?.used ?? 0) - objects.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0));
}

async function textIndexes(db: SqlDatabase): Promise<TextIndexHealth[]> {
  const found: TextIndexHealth[] = [];
  for (const { name, over, version } of TEXT_INDEXES) {
    const key = over === "chunks" ? "chunk_key" : "turn_key";
    const row = await db.get<Omit<TextIndexHealth, "name" | "inStep"> & { missing: number; strange: number }>(
      `SELECT (SELECT value FROM kv WHERE key = $1) AS "termsVersion",
         (SELECT count(*) FROM ${name}_docsize) AS indexed, (SELECT count(*) FROM ${over}) AS expected,
         (SELECT count(DISTINCT segid) FROM ${name}_idx) AS segments,
         (SELECT count(*) FROM ${over} WHERE ${key} NOT IN (SELECT id FROM ${name}_docsize)) AS missing,
         (SELECT count(*) FROM ${name}_docsize WHERE id NOT IN (SELECT ${key} FROM ${over})) AS strange`,
      [version],
    );
    if (row === undefined) continue;
    const { missing, strange, ...health } = row;
    found.push({ name, ...health, inStep: missing === 0 && strange === 0 });
  }
  return found;
}
