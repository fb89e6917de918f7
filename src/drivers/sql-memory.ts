import type { SqlDatabase, SqlFunctions } from "../contracts/sql.ts";
import { SqlConnection } from "./sql/connection.ts";
import { memoryImages } from "./sql/memory-image.ts";
import { WasmSqlEngine } from "./sql/wasm-engine.ts";
import { loadSqlite, type SqliteWasmSource } from "./sql/wasm-module.ts";

export interface SqlMemoryOptions {
  functions: SqlFunctions;
  /** Where `sqlite3.wasm` is; by default next to the module of `@sqlite.org/sqlite-wasm`. The first open of a thread decides. */
  module?: SqliteWasmSource;
}

/** Opens an empty SQLite database in memory: in Node, in workers and in tabs. It ends with `close()`.
 *  @throws StorageError DRIVER when sqlite3.wasm cannot be loaded */
export async function openSqlMemory({ functions, module }: SqlMemoryOptions): Promise<SqlDatabase> {
  const sqlite3 = await loadSqlite(module);
  return new SqlConnection({
    functions,
    busyTimeoutMs: 0,
    engine: (registered) =>
      new WasmSqlEngine({
        sqlite3,
        functions: registered,
        driver: "sql-memory",
        fileName: ":memory:",
        connectionPragmas: "",
        newFilePragmas: "PRAGMA auto_vacuum = INCREMENTAL;",
        filePragmas: "",
        images: memoryImages(sqlite3),
      }),
  });
}
