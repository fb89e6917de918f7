import type { VectorRecord } from "../../contracts/vectors.ts";
import type { ArrowTable, LanceDistance, LanceModules, LanceTable } from "./lance-module.ts";
import type { RegisteredTable } from "./table-register.ts";
import { guarded, type LancePlace, named, persistently } from "./lance-error.ts";
import { lanceRows, MERGE_KEY } from "./table-schema.ts";
import { syncTree } from "./sync-tree.ts";

/** What is known of a table at one of its versions. */
export interface TableState {
  version: number;
  /** Rows that the vector index has, and those that are compared one by one; no index has 0 rows. */
  indexed: number;
  unindexed: number;
  indexBytes: number;
}

/** What to look for in one call of Lance. */
export interface LanceAsk {
  vector: Float32Array;
  limit: number;
  condition?: string | undefined;
  /** Partitions of the index that are looked into; all rows are compared where it is absent. */
  probes?: number | undefined;
}

/** What Lance found. */
export interface LanceHit {
  chunkKey: number;
  embeddingId: string;
  distance: number;
}

/** An open Lance table. Its own writes go one after the other: at once they would only undo one another and be tried again. */
export class LiveTable {
  /** As the database knew it last. */
  entry: RegisteredTable;
  readonly table: LanceTable;
  /** Writes since the table was compacted. */
  writes = 0;
  closed = false;
  readonly #modules: LanceModules;
  readonly #folder: string;
  readonly #synced = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();
  #state: TableState | undefined;
  #counts = new Map<string, number>();

  /** @param folder That of the table. */
  constructor(entry: RegisteredTable, table: LanceTable, modules: LanceModules, folder: string) {
    this.entry = entry;
    this.table = table;
    this.#modules = modules;
    this.#folder = folder;
  }

  /** What Lance calls the way in which the vectors are compared: unit vectors are as near as their distance says, and Lance computes
   *  that three times as fast as a cosine. */
  get distance(): LanceDistance {
    return this.entry.metric === "dot" ? "dot" : "l2";
  }

  place(operation: string): LancePlace {
    return { operation, what: named(this.entry) };
  }

  /** Takes in what others committed. */
  async follow(operation: string): Promise<void> {
    await guarded(this.place(operation), () => this.table.checkoutLatest());
  }

  async state(operation: string): Promise<TableState> {
    return guarded(this.place(operation), async () => {
      const version = await this.table.version();
      if (this.#state?.version === version) return this.#state;
      const index = (await this.table.listIndices()).find(({ columns }) => columns.includes("vector"));
      const state = {
        version,
        indexed: index?.numIndexedRows ?? 0,
        unindexed: index?.numUnindexedRows ?? (await this.table.countRows()),
        indexBytes: index?.sizeBytes ?? 0,
      };
      this.#counts = new Map();
      this.#state = state;
      return state;
    });
  }

  /** Rows for which a condition holds; all without one. */
  async count(operation: string, condition?: string): Promise<number> {
    await this.state(operation);
    const counts = this.#counts;
    const known = counts.get(condition ?? "");
    if (known !== undefined) return known;
    const found = await guarded(this.place(operation), () => this.table.countRows(condition));
    counts.set(condition ?? "", found);
    return found;
  }

  async nearest(operation: string, { vector, limit, condition, probes }: LanceAsk): Promise<LanceHit[]> {
    return guarded(this.place(operation), async () => {
      let query = this.table.query().nearestTo(vector).column("vector").distanceType(this.distance).limit(limit);
      query = query.select(["chunk_key", "embedding_id", "_distance"]);
      if (condition !== undefined) query = query.where(condition);
      query = probes === undefined ? query.bypassVectorIndex() : query.nprobes(probes);
      return hitsOf(await query.toArrow());
    });
  }

  /** Columns of the rows for which a condition holds, batch by batch. */
  async *rows(operation: string, columns: string[], condition?: string): AsyncGenerator<ArrowTable> {
    let query = this.table.query().select(columns);
    if (condition !== undefined) query = query.where(condition);
    const batches = query[Symbol.asyncIterator]();
    for (;;) {
      const next = await guarded(this.place(operation), () => batches.next());
      if (next.done === true) return;
      yield next.value;
    }
  }

  /** Stores records, each in the place of what its chunk and version had. @param keys Key of each chunk. */
  async upsert(operation: string, records: readonly VectorRecord[], keys: ReadonlyMap<string, number>): Promise<void> {
    const rows = lanceRows(this.#modules.arrow, this.entry, records, keys);
    const merge = (): Promise<unknown> =>
      this.table
        .mergeInsert([...MERGE_KEY])
        .whenMatchedUpdateAll()
        .whenNotMatchedInsertAll()
        .execute(rows);
    await this.write(operation, merge);
  }

  /** @returns how many rows there were. */
  async delete(operation: string, condition: string): Promise<number> {
    const { numDeletedRows } = await this.write(operation, () => this.table.delete(condition));
    return numDeletedRows;
  }

  /** Writes when every earlier write has settled, and waits until what was written is on the disk. */
  async write<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      const result = await persistently(this.place(operation), work);
      this.writes++;
      await guarded(this.place(operation), () => this.sync());
      return result;
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Lance leaves its files to the operating system; the records of the vectors survive a power loss, and so must they. */
  sync(): Promise<void> {
    return syncTree(this.#folder, this.#synced);
  }

  /** Makes the vector index anew. */
  async makeIndex(partitions: number): Promise<void> {
    const config = this.#modules.lance.Index.ivfFlat({ distanceType: this.distance, numPartitions: partitions });
    await this.table.createIndex("vector", { config, replace: true });
  }

  close(): void {
    this.closed = true;
    this.table.close();
  }
}

function hitsOf(found: ArrowTable): LanceHit[] {
  const keys = found.getChild("chunk_key");
  const ids = found.getChild("embedding_id");
  const distances = found.getChild("_distance");
  return Array.from({ length: found.numRows }, (_, at) => ({
    chunkKey: Number(keys?.get(at)),
    embeddingId: ids?.get(at) as string,
    distance: distances?.get(at) as number,
  }));
}
