import type {
  SqlExecutor,
  SqlParams,
  SqlReadOptions,
  SqlRow,
  SqlRunResult,
  SqlTransaction,
} from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { RowIterator } from "./row-iterator.ts";
import type { SqlSession } from "./session.ts";
import { TurnQueue } from "./turn-queue.ts";

const NO_PARAMS: SqlParams = [];

/** The database itself, one transaction or one savepoint: who may run statements now.
 *
 *  A statement runs at once, synchronously, unless a transaction opened on this scope is running; then it waits its
 *  turn. A child transaction holds its parent's queue from begin to end, so siblings run one after the other. */
export class SqlScope implements SqlExecutor {
  readonly #session: SqlSession;
  readonly #queue: TurnQueue;
  readonly #iterators = new Set<RowIterator<object>>();
  /** Why nothing may run here any more. */
  #ended: { code: "TRANSACTION" | "CLOSED"; message: string } | undefined;

  /** @param busyTimeoutMs How long a lock of another connection is waited for; 0 inside a transaction. */
  constructor(session: SqlSession, busyTimeoutMs: number) {
    this.#session = session;
    this.#queue = new TurnQueue(busyTimeoutMs);
  }

  run(sql: string, params: SqlParams = NO_PARAMS): Promise<SqlRunResult> {
    return this.turn("run", () => this.#session.run(sql, params));
  }

  runMany(sql: string, rows: readonly SqlParams[]): Promise<SqlRunResult> {
    return this.turn("runMany", () => this.#session.runMany(sql, rows));
  }

  all<Row extends object = SqlRow>(
    sql: string,
    params: SqlParams = NO_PARAMS,
    options?: SqlReadOptions,
  ): Promise<Row[]> {
    return this.turn("all", () => {
      assertNotAborted(options?.signal, "all");
      return this.#session.all(sql, params) as Row[];
    });
  }

  get<Row extends object = SqlRow>(sql: string, params: SqlParams = NO_PARAMS): Promise<Row | undefined> {
    return this.turn("get", () => this.#session.get(sql, params) as Row | undefined);
  }

  iterate<Row extends object = SqlRow>(
    sql: string,
    params: SqlParams = NO_PARAMS,
    options?: SqlReadOptions,
  ): AsyncIterableIterator<Row> {
    const iterator = new RowIterator<Row>({
      open: () => {
        this.#iterators.add(iterator);
        return this.#session.open(sql, params);
      },
      turn: (job) =>
        this.turn("iterate", () => {
          assertNotAborted(options?.signal, "iterate");
          return job();
        }),
      closed: () => this.#iterators.delete(iterator),
    });
    return iterator;
  }

  transaction<T>(body: (tx: SqlTransaction) => Promise<T>): Promise<T> {
    return this.turn("transaction", () => {
      this.#session.begin();
      return this.#queue.hold(() => this.#runBody(body));
    });
  }

  /** Runs `job` when it is its turn: now, where nothing is ahead of it.
   *  @throws StorageError what `job` throws; TRANSACTION or CLOSED once the scope has ended */
  turn<T>(operation: string, job: () => T | Promise<T>): Promise<T> {
    if (this.#ended !== undefined) return Promise.reject(this.#endedError(operation));
    return this.#queue.take(job);
  }

  /** Runs `work` when it is its turn, and everything else on this scope after it has settled. */
  alone<T>(operation: string, work: () => Promise<T>): Promise<T> {
    return this.turn(operation, () => this.#queue.hold(work));
  }

  /** Takes no more work; what waits already still runs. Resolves when nothing runs or waits. */
  finish(code: "TRANSACTION" | "CLOSED", message: string): Promise<void> {
    this.#ended ??= { code, message };
    return this.#queue.idle();
  }

  closeIterators(): void {
    for (const iterator of this.#iterators) iterator.release();
  }

  async #runBody<T>(body: (tx: SqlTransaction) => Promise<T>): Promise<T> {
    const child = new SqlScope(this.#session, 0);
    let result: T;
    try {
      result = await body(child);
    } catch (error) {
      child.#queue.refuse(() => child.#endedError("transaction"));
      await child.finish("TRANSACTION", "the transaction has been rolled back");
      child.closeIterators();
      this.#session.rollback();
      throw error;
    }
    // Statements the body did not wait for belong to it all the same.
    await child.finish("TRANSACTION", "the transaction has ended");
    child.closeIterators();
    this.#session.commit();
    return result;
  }

  #endedError(operation: string): StorageError {
    const { code, message } = this.#ended ?? {
      code: "TRANSACTION",
      message: "the transaction is being rolled back",
    };
    return new StorageError(code, message, { capability: "sql", operation });
  }
}

function assertNotAborted(signal: AbortSignal | undefined, operation: string): void {
  if (signal?.aborted !== true) return;
  const cause: unknown = signal.reason;
  throw new StorageError("ABORTED", "the read was aborted", { capability: "sql", operation, cause });
}
