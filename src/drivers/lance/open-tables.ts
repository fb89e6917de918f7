import { existsSync } from "node:fs";
import { join } from "node:path";
import { StorageError } from "../../errors.ts";
import type { RegisteredTable } from "./table-register.ts";
import { deletedTable, guarded, lanceError, named } from "./lance-error.ts";
import type { LanceConnection, LanceModules, LanceTable } from "./lance-module.ts";
import { loadLance } from "./lance-module.ts";
import { LiveTable } from "./live-table.ts";
import { checkSchema, lanceSchema } from "./table-schema.ts";

/** The Lance tables of one folder that are open. */
export class OpenTables {
  readonly #dir: string;
  readonly #open = new Map<string, Promise<LiveTable | undefined>>();
  #modules: Promise<LanceModules> | undefined;
  #connection: Promise<LanceConnection> | undefined;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Loads the packages; it is done before the first table is opened, too.
   *  @throws StorageError UNSUPPORTED */
  modules(): Promise<LanceModules> {
    return (this.#modules ??= loadLance());
  }

  /** Returns the table as it is now, or `undefined` where it is not in its folder. */
  async find(entry: RegisteredTable, operation: string): Promise<LiveTable | undefined> {
    const known = this.#open.get(entry.indexId);
    const opening = known ?? this.#remember(entry, this.#read(entry, operation));
    const live = await opening;
    if (live === undefined) {
      // It may be there the next time.
      if (this.#open.get(entry.indexId) === opening) this.#open.delete(entry.indexId);
      return undefined;
    }
    live.entry = entry;
    if (known === undefined) return live;
    try {
      await live.follow(operation);
      return live;
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== "CORRUPT") throw error;
      // Deleted, or put back from a copy: what is there is opened anew.
      if (this.#open.get(entry.indexId) === opening) this.#open.delete(entry.indexId);
      // Others may be in the midst of it: what they are at fails or comes to its end by itself, and it is collected after that.
      live.closed = true;
      return this.find(entry, operation);
    }
  }

  /** Returns the table, which must be there.
   *  @throws StorageError CORRUPT: it was deleted */
  async get(entry: RegisteredTable, operation: string): Promise<LiveTable> {
    const live = await this.find(entry, operation);
    if (live !== undefined) return live;
    throw deletedTable(entry, operation);
  }

  /** Returns the table, made when it is not there. */
  async make(entry: RegisteredTable, operation: string): Promise<LiveTable> {
    const there = await this.find(entry, operation);
    if (there !== undefined) return there;
    // Nothing is waited for in between: who comes meanwhile waits for the same table.
    const making = this.#open.get(entry.indexId) ?? this.#remember(entry, this.#create(entry, operation));
    return (await making) ?? this.get(entry, operation);
  }

  /** Deletes a table with its files; one that is not there is gone already. */
  async drop(entry: RegisteredTable, operation: string): Promise<void> {
    await this.forget(entry.indexId);
    if (!existsSync(join(this.#dir, `${entry.tableName}.lance`))) return;
    const connection = await this.#connect(operation);
    await guarded({ operation, what: named(entry) }, () => connection.dropTable(entry.tableName));
  }

  /** Forgets a table whose files may have changed beside it: the next use opens it anew. */
  async forget(indexId: string): Promise<void> {
    const open = this.#open.get(indexId);
    this.#open.delete(indexId);
    (await open?.catch(() => undefined))?.close();
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#open.keys(), (indexId) => this.forget(indexId)));
    const connection = await this.#connection?.catch(() => undefined);
    connection?.close();
  }

  #remember<T extends Promise<LiveTable | undefined>>(entry: RegisteredTable, opening: T): T {
    this.#open.set(entry.indexId, opening);
    opening.catch(() => {
      if (this.#open.get(entry.indexId) === opening) this.#open.delete(entry.indexId);
    });
    return opening;
  }

  async #read(entry: RegisteredTable, operation: string): Promise<LiveTable | undefined> {
    const modules = await this.modules();
    // Connecting makes the folder, which one that is only read must not.
    if (!existsSync(join(this.#dir, `${entry.tableName}.lance`))) return undefined;
    const connection = await this.#connect(operation);
    let table: LanceTable;
    try {
      table = await connection.openTable(entry.tableName);
    } catch (cause) {
      if (isAbsent(cause)) return undefined;
      throw lanceError(cause, { operation, what: named(entry) });
    }
    return this.#checked(entry, table, modules, operation);
  }

  async #create(entry: RegisteredTable, operation: string): Promise<LiveTable> {
    const modules = await this.modules();
    const connection = await this.#connect(operation);
    const table = await guarded({ operation, what: named(entry) }, () =>
      connection.createEmptyTable(entry.tableName, lanceSchema(modules.arrow, entry)),
    );
    return this.#checked(entry, table, modules, operation);
  }

  async #checked(
    entry: RegisteredTable,
    table: LanceTable,
    modules: LanceModules,
    operation: string,
  ): Promise<LiveTable> {
    const place = { operation, what: named(entry) };
    checkSchema(await guarded(place, () => table.schema()), entry, operation);
    const { fragmentStats } = await guarded(place, () => table.stats());
    const live = new LiveTable(entry, table, modules, join(this.#dir, `${entry.tableName}.lance`));
    // What was written before and not compacted counts like what is written now.
    live.writes = Math.max(0, fragmentStats.numFragments - 1);
    return live;
  }

  #connect(operation: string): Promise<LanceConnection> {
    this.#connection ??= this.modules()
      .then(({ lance }) => lance.connect(this.#dir))
      .catch((cause: unknown) => {
        this.#connection = undefined;
        throw lanceError(cause, { operation, what: `the folder ${this.#dir}` });
      });
    return this.#connection;
  }
}

function isAbsent(cause: unknown): boolean {
  return cause instanceof Error && /was not found|table .* not found/iu.test(cause.message);
}
