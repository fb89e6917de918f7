import type {
  SqlCapabilities,
  SqlDatabase,
  SqlFunctions,
  SqlImage,
  SqlParams,
  SqlReadOptions,
  SqlRow,
  SqlRunResult,
  SqlTransaction,
} from "../../contracts/sql.ts";
import { ConnectionImage } from "./connection-image.ts";
import type { EngineImage, SqlEngine } from "./engine.ts";
import { SqlScope } from "./scope.ts";
import { SqlSession } from "./session.ts";
import { UserFunctions } from "./user-functions.ts";

export const STATEMENT_CACHE_SIZE = 200;
export const BUSY_TIMEOUT_MS = 5_000;

export interface SqlConnectionOptions {
  functions: SqlFunctions;
  /** Opens the technology; what it throws, it throws as `StorageError`. */
  engine: (functions: UserFunctions) => SqlEngine;
  /** Prepared statements kept, 200 by default. */
  statementCacheSize?: number;
  /** How long a lock of another connection is waited for, 5000 ms by default; 0: not at all. */
  busyTimeoutMs?: number;
  /** Called once the engine is closed. */
  onClosed?: () => void;
}

/** A SQL database over one SQLite engine: what all three drivers return. */
export class SqlConnection implements SqlDatabase {
  readonly #engine: SqlEngine;
  readonly #session: SqlSession;
  readonly #scope: SqlScope;
  readonly #functions: SqlFunctions;
  readonly #onClosed: (() => void) | undefined;
  readonly #images = new Set<ConnectionImage>();
  readonly #making = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  constructor(options: SqlConnectionOptions) {
    this.#functions = options.functions;
    this.#onClosed = options.onClosed;
    const functions = new UserFunctions(options.functions);
    this.#engine = options.engine(functions);
    this.#session = new SqlSession(this.#engine, functions, options.statementCacheSize ?? STATEMENT_CACHE_SIZE);
    this.#scope = new SqlScope(this.#session, options.busyTimeoutMs ?? BUSY_TIMEOUT_MS);
  }

  run(sql: string, params?: SqlParams): Promise<SqlRunResult> {
    return this.#scope.run(sql, params);
  }

  runMany(sql: string, rows: readonly SqlParams[]): Promise<SqlRunResult> {
    return this.#scope.runMany(sql, rows);
  }

  all<Row extends object = SqlRow>(sql: string, params?: SqlParams, options?: SqlReadOptions): Promise<Row[]> {
    return this.#scope.all<Row>(sql, params, options);
  }

  get<Row extends object = SqlRow>(sql: string, params?: SqlParams): Promise<Row | undefined> {
    return this.#scope.get<Row>(sql, params);
  }

  iterate<Row extends object = SqlRow>(
    sql: string,
    params?: SqlParams,
    options?: SqlReadOptions,
  ): AsyncIterableIterator<Row> {
    return this.#scope.iterate<Row>(sql, params, options);
  }

  transaction<T>(body: (tx: SqlTransaction) => Promise<T>): Promise<T> {
    return this.#scope.transaction(body);
  }

  exec(script: string): Promise<void> {
    return this.#scope.turn("exec", () => this.#session.exec(script));
  }

  capabilities(): Promise<SqlCapabilities> {
    return this.#scope.turn("capabilities", () => this.#engine.describe());
  }

  onCommit(listener: () => void): () => void {
    return this.#session.onCommit(listener);
  }

  async image(options: SqlReadOptions = {}): Promise<SqlImage> {
    return this.#keep("image", () =>
      this.#engine.image((job) => this.#scope.alone("image", async () => job()), options.signal),
    );
  }

  async imageFrom(bytes: AsyncIterable<Uint8Array>): Promise<SqlImage> {
    return this.#keep("imageFrom", () => this.#engine.imageFrom(bytes));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Remembers the image: closing the database closes it. */
  async #keep(operation: string, make: () => Promise<EngineImage>): Promise<SqlImage> {
    // Throws where the database is closed.
    await this.#scope.turn(operation, nothing);
    const making = make();
    const settled = making.then(nothing, nothing);
    this.#making.add(settled);
    let made: EngineImage;
    try {
      made = await making;
    } catch (error) {
      throw this.#session.failed(error, operation);
    } finally {
      this.#making.delete(settled);
    }
    const image: ConnectionImage = new ConnectionImage(made, {
      open: (onClosed) =>
        new SqlConnection({ functions: this.#functions, busyTimeoutMs: 0, engine: (all) => made.open(all), onClosed }),
      turn: (name, action) => this.#scope.turn(name, () => this.#session.perform(name, action)),
      failed: (error, name) => this.#session.failed(error, name),
      over: () => this.#images.delete(image),
    });
    this.#images.add(image);
    return image;
  }

  async #close(): Promise<void> {
    const done = this.#scope.finish("CLOSED", "the database is closed");
    await Promise.all(this.#making);
    await done;
    this.#scope.closeIterators();
    this.#session.clear();
    for (const image of this.#images) await image.end();
    await this.#engine.close();
    this.#onClosed?.();
  }
}

function nothing(): void {}
