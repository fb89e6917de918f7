import { checkTableSpec } from "../../contracts/check-vectors.ts";
import type { SqlDatabase, SqlExecutor } from "../../contracts/sql.ts";
import type { VectorMetric, VectorTable, VectorTableSpec } from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";
import { freeTableName } from "../vectors/table-name.ts";
import type { VectorIndexIdentity } from "../vectors/vector-tables.ts";

/** A Lance table as the store's database knows it. */
export interface RegisteredTable extends VectorTable {
  /** Versions of the model that the table may have vectors of, in the order in which they came. */
  generations: readonly string[];
  /** Partitions of its index when that was made, 0 where it has none. */
  partitions: number;
}

const PREFIX = "lance_table/";
/** The character after the slash: what lies between begins with the prefix. */
const END = "lance_table0";

/** The Lance tables of a store, in `kv` of its database: which there are and what they hold. A table that is registered and not in its folder was deleted by somebody else. */
export class TableRegister {
  readonly #db: SqlDatabase;
  readonly #idOf: (identity: VectorIndexIdentity) => string;

  constructor(db: SqlDatabase, idOf: (identity: VectorIndexIdentity) => string) {
    this.#db = db;
    this.#idOf = idOf;
  }

  /** All tables, by name. */
  async all(executor: SqlExecutor = this.#db): Promise<RegisteredTable[]> {
    const rows = await executor.all<{ value: string }>("SELECT value FROM kv WHERE key >= $1 AND key < $2", [
      PREFIX,
      END,
    ]);
    return rows.map(({ value }) => parse(value)).sort((a, b) => (a.tableName < b.tableName ? -1 : 1));
  }

  /** @throws StorageError NOT_FOUND */
  async get(indexId: string, operation: string): Promise<RegisteredTable> {
    const row = await this.#db.get<{ value: string }>("SELECT value FROM kv WHERE key = $1", [PREFIX + indexId]);
    if (row !== undefined) return parse(row.value);
    throw new StorageError("NOT_FOUND", `there is no vector table with the index id "${indexId}"`, {
      capability: "vectors",
      operation,
    });
  }

  /** Returns the table for a model, registering it when there is none.
   *  @throws StorageError INVALID_INPUT, CONFLICT */
  async ensure(spec: VectorTableSpec): Promise<RegisteredTable> {
    const site = { capability: "vectors", operation: "ensureTable" } as const;
    const { modelId, dimensions, metric } = checkTableSpec(site, spec);
    const ofModel = (table: RegisteredTable): boolean => table.modelId === modelId && table.dimensions === dimensions;
    const known = (await this.all()).find(ofModel);
    const table = known ?? (await this.#add({ modelId, dimensions, metric }, ofModel));
    if (table.metric === metric) return table;
    throw new StorageError(
      "CONFLICT",
      `the vectors of "${modelId}" with ${dimensions} dimensions are compared by ${table.metric}, not by ${metric}`,
      site,
    );
  }

  /** Notes that vectors of these versions are about to be written. */
  async addGenerations(table: RegisteredTable, versions: ReadonlySet<string>): Promise<void> {
    if ([...versions].every((version) => table.generations.includes(version))) return;
    await this.#change(table, (now) => ({ ...now, generations: [...new Set([...now.generations, ...versions])] }));
  }

  /** Strikes a table off. */
  async remove(table: RegisteredTable): Promise<void> {
    await this.#db.run("DELETE FROM kv WHERE key = $1", [PREFIX + table.indexId]);
  }

  /** Notes that a version has no vectors any more. */
  async dropGeneration(table: RegisteredTable, version: string): Promise<void> {
    await this.#change(table, (now) => ({ ...now, generations: now.generations.filter((one) => one !== version) }));
  }

  /** Notes that the table's index was made anew. */
  async notePartitions(table: RegisteredTable, partitions: number): Promise<void> {
    await this.#change(table, (now) => ({ ...now, partitions }));
  }

  async #add(
    spec: { modelId: string; dimensions: number; metric: VectorMetric },
    ofModel: (table: RegisteredTable) => boolean,
  ): Promise<RegisteredTable> {
    return this.#db.transaction(async (tx) => {
      const tables = await this.all(tx);
      const known = tables.find(ofModel);
      if (known !== undefined) return known;
      const tableName = await freeTableName(spec, async (name) => tables.some((table) => table.tableName === name));
      const indexId = this.#idOf({
        collection: "default",
        indexKind: "lance",
        indexVersion: "1",
        indexParamsHash: spec.metric,
        embeddingModel: spec.modelId,
        dimensions: spec.dimensions,
      });
      const table: RegisteredTable = { indexId, tableName, ...spec, generations: [], partitions: 0 };
      await tx.run("INSERT INTO kv (key, value) VALUES ($1, $2)", [PREFIX + indexId, JSON.stringify(table)]);
      return table;
    });
  }

  async #change(table: RegisteredTable, change: (now: RegisteredTable) => RegisteredTable): Promise<void> {
    const key = PREFIX + table.indexId;
    await this.#db.transaction(async (tx) => {
      const row = await tx.get<{ value: string }>("SELECT value FROM kv WHERE key = $1", [key]);
      if (row === undefined) return;
      await tx.run("UPDATE kv SET value = $2 WHERE key = $1", [key, JSON.stringify(change(parse(row.value)))]);
    });
  }
}

function parse(value: string): RegisteredTable {
  return JSON.parse(value) as RegisteredTable;
}
