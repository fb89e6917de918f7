import { statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { SqlStatementKind } from "../contracts/sql-text.ts";
import type {
  SqlCapabilities,
  SqlDatabase,
  SqlFunctions,
  SqlParams,
  SqlRow,
  SqlRunResult,
  SqlValue,
} from "../contracts/sql.ts";
import { StorageError } from "../errors.ts";
import { SqlConnection } from "./sql/connection.ts";
import { copyFileImage, type FileImageHome, receiveFileImage } from "./sql-image-node.ts";
import type {
  EngineImage,
  EngineTurn,
  SqlCursor,
  SqlEngine,
  SqlEngineFailure,
  SqlEngineStatement,
} from "./sql/engine.ts";
import { isCannotOpen, isReadOnly, sqlError } from "./sql/result-codes.ts";
import { narrow, type UserFunctions } from "./sql/user-functions.ts";

/** How long SQLite itself waits for a lock, blocking the thread; beyond it the driver waits without blocking. */
const BLOCKING_BUSY_TIMEOUT_MS = 5;
const CACHE_KIB = 16_384;
/** Of a new file: rows of vectors and of packed bytes fill large pages better, and everything but an append is faster (DESIGN.md). */
const PAGE_BYTES = 16_384;
/** The WAL is taken into the file when it holds this much: whoever commits then waits for it. */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;
/** A WAL file larger than this is cut back at the next checkpoint that empties it. */
const JOURNAL_SIZE_LIMIT = 64 * 1024 * 1024;

export interface SqlNodeOptions {
  /** The file; made when it is not there, unless `readOnly`. Its folder must exist. */
  path: string;
  functions: SqlFunctions;
  /** Opens an existing file for reading only; false by default. Where its folder cannot be written either, and nobody has it open, it is
   *  taken for one that does not change: what is written to it meanwhile, by somebody who may, makes its answers wrong. */
  readOnly?: boolean;
  /** Milliseconds to wait for another connection's or process's write lock, 0 to 600000; 5000 by default. */
  busyTimeoutMs?: number;
  /** Whether it belongs to the one that has the folder's writer lock: images that it leaves when it is killed are nobody's once somebody
   *  else has that lock. False by default: they are left for a day. */
  ofWriter?: boolean;
}

/**
 * Opens a SQLite file through `node:sqlite`.
 *
 * WAL journal, synchronous FULL: what is committed survives power loss, and readers in other connections and
 * processes never wait. A file is not touched before the first write: a database of another journal mode stays as it
 * is until then.
 * @throws StorageError NOT_FOUND (no such file or folder), CORRUPT (not a database), TIMEOUT (locked), INVALID_INPUT, DRIVER,
 *   UNSUPPORTED (`readOnly`, in a folder that cannot be written, and what a crash left would have to be recovered)
 */
export async function openSqlNode(options: SqlNodeOptions): Promise<SqlDatabase> {
  const { path, functions, readOnly = false, busyTimeoutMs, ofWriter = false } = options;
  if (typeof path !== "string" || path === "") throw invalid("path must be a file name, got an empty one");
  return new SqlConnection({
    functions,
    ...(busyTimeoutMs === undefined ? {} : { busyTimeoutMs: checkBusyTimeout(busyTimeoutMs) }),
    engine: (registered) => {
      const engine = openEngine(path, readOnly, registered);
      engine.ofWriter = ofWriter;
      return engine;
    },
  });
}

function openEngine(path: string, readOnly: boolean, functions: UserFunctions): NodeSqlEngine {
  try {
    return new NodeSqlEngine(path, readOnly, functions);
  } catch (error) {
    const code = codeOf(error);
    if (readOnly && (isReadOnly(code) || isCannotOpen(code)) && isFile(path)) {
      return openUnchanging(path, functions, error);
    }
    throw openError(path, readOnly, error);
  }
}

/** Opens a file in a folder in which SQLite can make no file to share its locks: as one that nobody changes. Somebody who writes
 *  would have made that file. */
function openUnchanging(path: string, functions: UserFunctions, cause: unknown): NodeSqlEngine {
  const pending = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (pending > 0) {
    throw new StorageError(
      "UNSUPPORTED",
      `cannot open ${path}: its folder cannot be written, and ${pending} bytes of ${path}-wal wait to be taken into it: open it once where it can be written`,
      { capability: "sql", operation: "open", cause },
    );
  }
  const address = pathToFileURL(path);
  address.searchParams.set("immutable", "1");
  try {
    return new NodeSqlEngine(address, true, functions);
  } catch (error) {
    throw openError(path, true, error);
  }
}

function openError(path: string, readOnly: boolean, error: unknown): StorageError {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (isCannotOpen(code)) {
    const context = { capability: "sql", operation: "open", cause: error } as const;
    if (isFolder(path)) return new StorageError("DRIVER", `cannot open ${path}: it is a folder`, context);
    const missing = readOnly ? "file" : "folder";
    return new StorageError("NOT_FOUND", `cannot open ${path}: no such ${missing}, or no access`, context);
  }
  return sqlError({ code, message: `cannot open ${path}: ${message}` }, "open", undefined, error);
}

function codeOf(error: unknown): number {
  return error instanceof Error && "errcode" in error ? Number(error.errcode) : 0;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function checkBusyTimeout(value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= 600_000) return value;
  throw invalid(`busyTimeoutMs must be an integer from 0 to 600000, got ${value}`);
}

function invalid(message: string): StorageError {
  return new StorageError("INVALID_INPUT", message, { capability: "sql", operation: "open" });
}

/** A SQLite file through `node:sqlite`. */
class NodeSqlEngine implements SqlEngine {
  readonly begin: "BEGIN IMMEDIATE" | "BEGIN";
  readonly #db: DatabaseSync;
  readonly #readOnly: boolean;
  readonly #unchanging: boolean;
  readonly #images: FileImageHome;
  #lastInsertRowid: StatementSync | undefined;
  ofWriter = false;

  constructor(path: string | URL, readOnly: boolean, functions: UserFunctions) {
    this.begin = readOnly ? "BEGIN" : "BEGIN IMMEDIATE";
    this.#readOnly = readOnly;
    this.#unchanging = path instanceof URL;
    // Not defensive, as other drivers: an import gives the text index the averages of the archive's.
    this.#db = new DatabaseSync(path, { readOnly, enableForeignKeyConstraints: true, defensive: false });
    this.#images = { path, readOnly, ofWriter: false, connection: this.#db, open: openTemporary };
    try {
      this.#db.exec(
        `PRAGMA busy_timeout = ${BLOCKING_BUSY_TIMEOUT_MS}; PRAGMA cache_size = -${CACHE_KIB};
         PRAGMA synchronous = FULL; PRAGMA trusted_schema = ON; SELECT count(*) FROM sqlite_schema;`,
      );
      this.#register(functions);
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  prepare(sql: string, kind: SqlStatementKind): SqlEngineStatement {
    return new NodeStatement(this.#db.prepare(sql), kind);
  }

  exec(script: string): void {
    this.#db.exec(script);
  }

  inTransaction(): boolean {
    // Node before 22.16 has no isTransaction: there, only BEGIN knows.
    const known: boolean | undefined = this.#db.isTransaction;
    if (known !== undefined) return known;
    try {
      this.#db.exec("BEGIN");
    } catch {
      return true;
    }
    this.#db.exec("ROLLBACK");
    return false;
  }

  lastInsertRowid(): number {
    this.#lastInsertRowid ??= this.#db.prepare("SELECT last_insert_rowid() AS id");
    return Number(this.#lastInsertRowid.get()?.["id"]);
  }

  beforeFirstWrite(): void {
    if (this.#readOnly) return;
    this.setJournal();
  }

  protected setJournal(): void {
    // These count when the file is made, and asking for auto_vacuum writes to one that is there. With it, what is deleted can be given back
    // step by step.
    const isNew = this.#db.prepare("PRAGMA page_count").get()?.["page_count"] === 0;
    if (isNew) this.#db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA auto_vacuum = INCREMENTAL`);
    this.#db.exec(`PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = ${JOURNAL_SIZE_LIMIT}`);
    const pageBytes = Number(this.#db.prepare("PRAGMA page_size").get()?.["page_size"]);
    this.#db.exec(`PRAGMA wal_autocheckpoint = ${Math.ceil(CHECKPOINT_BYTES / pageBytes)}`);
  }

  failure(error: unknown): SqlEngineFailure {
    const message = error instanceof Error ? error.message : String(error);
    const code: unknown = error instanceof Error && "errcode" in error ? error.errcode : 0;
    return { code: typeof code === "number" ? code : 0, message };
  }

  describe(): SqlCapabilities {
    const pragma = (name: string): string | number => {
      const value = Object.values(this.#db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
      return typeof value === "number" ? value : String(value);
    };
    const version = this.#db.prepare("SELECT sqlite_version() AS version").get()?.["version"];
    return {
      driver: "sql-node",
      dialect: "sqlite",
      engine: `SQLite ${String(version)}`,
      vfs: "file",
      persistent: true,
      fullText: this.#hasFullText(),
      settings: {
        journal_mode: pragma("journal_mode"),
        page_size: pragma("page_size"),
        cache_size: pragma("cache_size"),
        synchronous: pragma("synchronous"),
        locking_mode: pragma("locking_mode"),
        auto_vacuum: pragma("auto_vacuum"),
        ...(this.#unchanging ? { immutable: 1 } : {}),
      },
    };
  }

  image(turn: EngineTurn, signal: AbortSignal | undefined): Promise<EngineImage> {
    return copyFileImage({ ...this.#images, ofWriter: this.ofWriter }, turn, signal);
  }

  imageFrom(bytes: AsyncIterable<Uint8Array>): Promise<EngineImage> {
    return receiveFileImage({ ...this.#images, ofWriter: this.ofWriter }, bytes);
  }

  close(): void {
    this.#db.close();
  }

  /** The SQLite of Node before 22.16 was built without FTS5. */
  #hasFullText(): boolean {
    const row = this.#db.prepare("SELECT sqlite_compileoption_used('ENABLE_FTS5') AS used").get();
    return row?.["used"] === 1;
  }

  #register(functions: UserFunctions): void {
    const options = { deterministic: true, directOnly: false, useBigIntArguments: true, varargs: true };
    for (const name of functions.names()) {
      this.#db.function(name, options, (...args: SqlValue[]) => {
        for (const [i, arg] of args.entries()) if (typeof arg === "bigint") args[i] = narrow(arg);
        return integerAsBigInt(functions.call(name, args));
      });
    }
  }
}

/** A file that is thrown away: nothing of it is made to last. */
class TemporarySqlEngine extends NodeSqlEngine {
  protected override setJournal(): void {
    this.exec("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF");
  }
}

function openTemporary(path: string, functions: UserFunctions): SqlEngine {
  return new TemporarySqlEngine(path, false, functions);
}

/** node:sqlite binds every number as REAL; as bigint an integer stays one. */
function integerAsBigInt(value: SqlValue): SqlValue {
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
}

class NodeStatement implements SqlEngineStatement {
  readonly #statement: StatementSync;
  readonly #kind: SqlStatementKind;
  #readsBigInts = false;

  constructor(statement: StatementSync, kind: SqlStatementKind) {
    // A number may be left out of the text and still count.
    statement.setAllowUnknownNamedParameters(true);
    this.#statement = statement;
    this.#kind = kind;
  }

  run(params: SqlParams): SqlRunResult {
    const { changes, lastInsertRowid } = this.#statement.run(bindable(params));
    return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
  }

  all(params: SqlParams): SqlRow[] {
    const values = bindable(params);
    if (this.#plain()) {
      try {
        return this.#statement.all(values);
      } catch (error) {
        this.#expectBigInts(error);
      }
    }
    const rows = this.#statement.all(values);
    for (const row of rows) narrowRow(row);
    return rows;
  }

  get(params: SqlParams): SqlRow | undefined {
    const values = bindable(params);
    if (this.#plain()) {
      try {
        return this.#statement.get(values);
      } catch (error) {
        this.#expectBigInts(error);
      }
    }
    const row = this.#statement.get(values);
    return row === undefined ? undefined : narrowRow(row);
  }

  open(params: SqlParams): SqlCursor {
    // A read cannot be begun again half-way, so it takes bigints from the start.
    this.#setBigInts(true);
    const rows = this.#statement.iterate(bindable(params));
    return {
      next: () => {
        const row = rows.next();
        return row.done === true ? undefined : narrowRow(row.value);
      },
      close: () => void rows.return?.(),
    };
  }

  /** Nothing to do: node:sqlite finalises statements when they are collected or the database closes. */
  finalize(): void {}

  /** Whether this read can be tried with plain numbers, which are faster, and repeated if one does not fit. */
  #plain(): boolean {
    if (this.#kind !== "read") this.#setBigInts(true);
    return !this.#readsBigInts;
  }

  #expectBigInts(error: unknown): void {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_OUT_OF_RANGE")) throw error;
    this.#setBigInts(true);
  }

  #setBigInts(enabled: boolean): void {
    if (this.#readsBigInts === enabled) return;
    this.#statement.setReadBigInts(enabled);
    this.#readsBigInts = enabled;
  }
}

type NamedValues = Record<string, SQLInputValue>;

/** The values by the names of their parameters: before 24.21 Node counts `?1` as named and refuses it by position. */
function bindable(params: SqlParams): NamedValues {
  const named: NamedValues = {};
  for (let i = 0; i < params.length; i++) named[parameterName(i)] = integerAsBigInt(params[i] ?? null);
  return named;
}

const PARAMETER_NAMES: readonly string[] = Array.from({ length: 64 }, (_, i) => `?${i + 1}`);

function parameterName(index: number): string {
  return PARAMETER_NAMES[index] ?? `?${index + 1}`;
}

function narrowRow(row: SqlRow): SqlRow {
  for (const name in row) {
    const value = row[name];
    if (typeof value === "bigint") row[name] = narrow(value);
  }
  return row;
}
