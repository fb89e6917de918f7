import sqlite3InitModule from "@sqlite.org/sqlite-wasm";
import type { SqlRow, SqlValue } from "../../../src/contracts/sql.ts";
import { openSqlOpfs, SQL_OPFS_SETTINGS } from "../../../src/drivers/sql-opfs.ts";
import { migrations } from "../../../src/sql/migrations.generated.ts";
import { storeFunctions } from "../../../src/store/schema-functions.ts";
import { indexTerms, inflectedStems } from "../../../src/store/search/terms.ts";

/** Rows of one table. */
interface Table {
  name: string;
  columns: string[];
  rows: SqlValue[][];
}

const TABLES = ["assets", "documents", "document_tags", "blocks", "chunks", "blobs"];

/** Reads all rows of the store, then inserts them into a fresh database in one transaction: no contract, no checks, no
 *  triggers, the index terms computed beforehand. What SQLite itself takes for these rows. */
self.onmessage = async (event: MessageEvent<string>): Promise<void> => {
  try {
    self.postMessage(await insertBare(await readTables(event.data)));
  } catch (error) {
    self.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
};

async function readTables(store: string): Promise<Table[]> {
  await using db = await openSqlOpfs({ name: store, functions: storeFunctions });
  const tables: Table[] = [];
  for (const name of TABLES) {
    const rows = await db.all(`SELECT * FROM ${name}`);
    const columns = Object.keys(rows[0] ?? {});
    tables.push({ name, columns, rows: rows.map((row) => columns.map((column) => row[column] ?? null)) });
  }
  const chunks = await db.all<SqlRow & { heading_text: string; text: string; chunk_key: number }>(
    "SELECT chunk_key, heading_text, text FROM chunks",
  );
  tables.push({
    name: "chunks_fts",
    columns: ["rowid", "heading", "text", "forms"],
    rows: chunks.map((chunk) => [
      chunk.chunk_key,
      indexTerms(chunk.heading_text),
      indexTerms(chunk.text),
      inflectedStems(`${chunk.heading_text} ${chunk.text}`),
    ]),
  });
  return tables;
}

async function insertBare(tables: readonly Table[]): Promise<{ insertMs: number; rows: number }> {
  const sqlite3 = await sqlite3InitModule();
  const pool = await sqlite3.installOpfsSAHPoolVfs({ name: "bare", directory: "/bare", clearOnInit: true });
  const db = new pool.OpfsSAHPoolDb("/bare.sqlite3");
  try {
    const { lockingMode, cacheKib, pageSize, journalMode, synchronous } = SQL_OPFS_SETTINGS;
    db.exec(
      `PRAGMA locking_mode = ${lockingMode}; PRAGMA cache_size = -${cacheKib}; PRAGMA page_size = ${pageSize};
       PRAGMA journal_mode = ${journalMode}; PRAGMA synchronous = ${synchronous}; PRAGMA foreign_keys = ON`,
    );
    // Migrations change triggers that call them; nothing that is measured does.
    for (const name of Object.keys(storeFunctions)) db.createFunction({ name, arity: -1, xFunc: () => "" });
    for (const migration of migrations) db.exec(migration.sql);
    db.exec("DROP TRIGGER chunks_ai; DROP TRIGGER chunks_ad; DROP TRIGGER chunks_au; DROP TRIGGER chunks_tombstone");
    const start = performance.now();
    db.exec("BEGIN");
    for (const { name, columns, rows } of tables) {
      if (rows.length === 0) continue;
      const statement = db.prepare(
        `INSERT INTO ${name} (${columns.join(", ")}) VALUES (${columns.map((_, index) => `?${index + 1}`).join(", ")})`,
      );
      for (const row of rows) statement.bind(row).stepReset();
      statement.finalize();
    }
    db.exec("COMMIT");
    return { insertMs: performance.now() - start, rows: tables.reduce((sum, table) => sum + table.rows.length, 0) };
  } finally {
    db.close();
    await pool.removeVfs();
  }
}
