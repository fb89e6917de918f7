import type { SqlDatabase, SqlExecutor, SqlParams, SqlRunResult, SqlTransaction } from "../../contracts/sql.ts";
import type { StoreStorage } from "../../contracts/upkeep.ts";
import { StorageError } from "../../errors.ts";
import { isFull } from "./on-full.ts";
import type { SpareRoom } from "./spare-room.ts";

/** A database whose errors about a full disk say how much room there is. What was being written is undone by then, and the room that was set
 *  aside is given up. */
export class RoomAwareDatabase implements SqlDatabase {
  readonly all: SqlExecutor["all"];
  readonly get: SqlExecutor["get"];
  readonly iterate: SqlExecutor["iterate"];
  readonly capabilities: SqlDatabase["capabilities"];
  readonly close: SqlDatabase["close"];
  readonly #db: SqlDatabase;
  readonly #storage: StoreStorage;
  readonly #spare: SpareRoom;

  constructor(db: SqlDatabase, storage: StoreStorage, spare: SpareRoom) {
    this.#db = db;
    this.#storage = storage;
    this.#spare = spare;
    this.all = db.all.bind(db);
    this.get = db.get.bind(db);
    this.iterate = db.iterate.bind(db);
    this.capabilities = db.capabilities.bind(db);
    this.close = db.close.bind(db);
  }

  run(sql: string, params?: SqlParams): Promise<SqlRunResult> {
    return this.#told(this.#db.run(sql, params));
  }

  runMany(sql: string, rows: readonly SqlParams[]): Promise<SqlRunResult> {
    return this.#told(this.#db.runMany(sql, rows));
  }

  transaction<T>(body: (tx: SqlTransaction) => Promise<T>): Promise<T> {
    return this.#told(this.#db.transaction(body));
  }

  exec(script: string): Promise<void> {
    return this.#told(this.#db.exec(script));
  }

  image(...args: Parameters<SqlDatabase["image"]>): ReturnType<SqlDatabase["image"]> {
    return this.#told(this.#db.image(...args));
  }

  imageFrom(...args: Parameters<SqlDatabase["imageFrom"]>): ReturnType<SqlDatabase["imageFrom"]> {
    return this.#told(this.#db.imageFrom(...args));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #told<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      // Limits of memory and of keys are not about the disk.
      if (!isFull(error) || error.capability !== "sql") throw error;
      const told = await this.#withRoom(error);
      // What it could not do does not change what is to be said.
      await this.#spare.giveUp().catch(nothing);
      throw told;
    }
  }

  async #withRoom(error: StorageError): Promise<StorageError> {
    const { availableBytes, quotaBytes } = await this.#storage.estimate();
    if (availableBytes === null) return error;
    const { capability, operation } = error;
    const message = `${error.message}: it needs more than there is (${availableBytes} of ${quotaBytes ?? "?"} bytes are said to be available); what was being written is undone`;
    return new StorageError("QUOTA_EXCEEDED", message, { capability, operation, cause: error });
  }
}

function nothing(): void {}
