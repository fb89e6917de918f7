/** A value that goes into or comes out of SQL.
 *  Whole numbers are stored as integers, others as reals; integers beyond ±(2^53 − 1) are read as `bigint`, smaller ones
 *  as numbers. Bytes are copied both ways. NaN and bigints of more than 64 bits are refused. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** Positional parameters: the first fills `$1` in the SQL text, the second `$2`, and so on. */
export type SqlParams = readonly SqlValue[];

/** One result row, column name to value. */
export type SqlRow = Record<string, SqlValue>;

/** A deterministic scalar function that a driver registers under its key, so that SQL, triggers and indexes can call it,
 *  with any number of arguments. What it throws fails the statement with DRIVER and is the error's cause. It must not
 *  call the database. */
export type SqlFunction = (...args: SqlValue[]) => SqlValue;

/** The functions the store's schema needs, by SQL name. Entry points pass them to the SQL driver they open. */
export type SqlFunctions = Readonly<Record<string, SqlFunction>>;

/** What a write did. */
export interface SqlRunResult {
  /** Rows inserted, updated or deleted by the statement itself; rows changed by triggers do not count. 0 for statements
   *  of any other kind. */
  changes: number;
  /** Rowid of the last inserted row of this connection, 0 where there is none. */
  lastInsertRowid: number;
}

/** Options of a read that may be long. */
export interface SqlReadOptions {
  /** Ends the read with ABORTED, at the latest before the next row is handed out. */
  signal?: AbortSignal;
}

/** The statements that run both on the database and inside a transaction. */
export interface SqlExecutor {
  /** Runs one statement; rows it returns are dropped.
   *  @param sql One statement; parameters are `$1`, `$2`, …, each as often and in whatever order as needed; prepared once
   *  per text and cached. BEGIN, COMMIT and their kin are refused: see `transaction`.
   *  @param params As many as the highest `$n`.
   *  @throws StorageError INVALID_INPUT (text or parameters), CONFLICT (constraint), DRIVER, QUOTA_EXCEEDED, CORRUPT,
   *  CLOSED, TRANSACTION, TIMEOUT (another process has the lock), UNSUPPORTED (opened for reading only) */
  run(sql: string, params?: SqlParams): Promise<SqlRunResult>;

  /** Runs one statement once per row of parameters, in order, all or none: in a transaction of its own, inside a
   *  transaction in a savepoint. Every row is checked before the first is written.
   *  @returns the sum of changes. */
  runMany(sql: string, rows: readonly SqlParams[]): Promise<SqlRunResult>;

  /** Returns all rows. */
  all<Row extends object = SqlRow>(sql: string, params?: SqlParams, options?: SqlReadOptions): Promise<Row[]>;

  /** Returns the first row, or `undefined` where there is none. */
  get<Row extends object = SqlRow>(sql: string, params?: SqlParams): Promise<Row | undefined>;

  /** Hands out rows one by one without holding all of them in memory; a statement that writes is run to its end first.
   *  Leaving the loop early releases the statement; it ends with its transaction. The rows are those of one consistent read as long as nothing
   *  writes to the tables in between; on one connection a write between two rows may or may not be seen. */
  iterate<Row extends object = SqlRow>(
    sql: string,
    params?: SqlParams,
    options?: SqlReadOptions,
  ): AsyncIterableIterator<Row>;

  /** Runs `body` atomically: commits when it resolves, rolls back when it rejects and rejects with the same error.
   *  On a transaction it opens a savepoint: a rejected inner body undoes only itself.
   *  While it runs, statements on the database itself wait; only `tx` runs statements. After it ends `tx` throws TRANSACTION.
   *  So `body` must not wait for a call on the database (or, in a savepoint, on the outer `tx`): that waits for `body`.
   *  Statements that `body` did not wait for still belong to it. Where SQLite itself rolled back (full disk, ON CONFLICT
   *  ROLLBACK), every further statement and the transaction reject with TRANSACTION, the cause being what happened.
   *  Committed means durable against power loss, as far as the platform's storage keeps its promise. */
  transaction<T>(body: (tx: SqlTransaction) => Promise<T>): Promise<T>;
}

/** A running transaction or savepoint. */
export type SqlTransaction = SqlExecutor;

/** What a SQL driver declares of itself. */
export interface SqlCapabilities {
  /** Driver name: `sql-opfs`, `sql-node`, `sql-memory`. */
  driver: string;
  dialect: "sqlite" | "postgres";
  /** Engine and version, for people: `SQLite 3.54.1`. */
  engine: string;
  /** Where the bytes are: `opfs-sahpool`, `file`, `memory`. */
  vfs: string;
  /** Whether committed data survives the end of the process. */
  persistent: boolean;
  /** Whether FTS5 is there. */
  fullText: boolean;
  /** Settings in force, measured in DESIGN.md: journal mode, page size, cache, synchronous, locking. */
  settings: Readonly<Record<string, string | number>>;
}

/** A SQLite file beside a database: a copy of it, or one that came from elsewhere. It is gone once it is closed. */
export interface SqlImage {
  /** Bytes of the file. */
  sizeBytes(): Promise<number>;
  /** Hands out the file's bytes, in order, in pieces of at most 256 KiB: a SQLite database whose journal mode is not WAL, so that the
   *  bytes alone are all of it. Not while it is open or attached. */
  read(): AsyncIterableIterator<Uint8Array>;
  /** Opens the file as a database of its own, which the caller closes. What is written to it is not durable.
   *  @throws StorageError CORRUPT (no SQLite database), CONFLICT (it is open or attached) */
  open(): Promise<SqlDatabase>;
  /** Makes the tables readable as `image.<table>` in statements of the database it stands beside, until `detach`. Not in a transaction.
   *  @throws StorageError CORRUPT, CONFLICT (it is open or attached, or another image is attached) */
  attach(): Promise<void>;
  detach(): Promise<void>;
  /** Closes what is open of it and deletes the file. Safe to call twice. */
  close(): Promise<void>;
}

/** One SQL database: the truth of the store. Drivers add nothing but their technology. */
export interface SqlDatabase extends SqlExecutor {
  /** Runs a script of several statements without parameters; not atomic by itself: what came before a failure stays.
   *  @throws StorageError INVALID_INPUT for a script that leaves a transaction open, which is rolled back */
  exec(script: string): Promise<void>;
  capabilities(): Promise<SqlCapabilities>;
  /** Calls back after every commit of this connection that may have changed the file, a statement of its own outside of transactions among
   *  them. The callback must not call the database, nor throw. Absent where commits are not seen: the database is at the other end of a
   *  connection.
   *  @returns what ends it. */
  onCommit?(listener: () => void): () => void;
  /** Copies what is committed into a file of its own, with SQLite's online backup: reads and writes go on meanwhile.
   *  @throws StorageError ABORTED, QUOTA_EXCEEDED, CORRUPT, DRIVER, CLOSED
   *  @see https://www.sqlite.org/backup.html */
  image(options?: SqlReadOptions): Promise<SqlImage>;
  /** Takes the bytes of a SQLite file in, as a file beside the database, which stays as it is. What `bytes` throws ends it.
   *  @throws StorageError QUOTA_EXCEEDED, DRIVER, CLOSED, CORRUPT (where the driver looks at them already), what `bytes` throws */
  imageFrom(bytes: AsyncIterable<Uint8Array>): Promise<SqlImage>;
  /** Waits for running statements and transactions, then closes; open iterations are ended. Safe to call twice;
   *  everything else throws CLOSED from the call on. Must not be waited for inside a transaction. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
