import { requireModelVersion } from "../../contracts/check-vectors.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import type { VectorUpkeep } from "../../contracts/vector-upkeep.ts";
import type { VectorOpenReport, VectorRebuildProgress } from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";
import type { SearchActivity } from "../../turns.ts";
import { BackgroundWork } from "./background-work.ts";
import type { IndexPolicy } from "./index-policy.ts";
import { LiveIndex } from "./live-index.ts";
import type { SnapshotStore } from "./snapshot-store.ts";
import { throwIfAborted } from "./throw-if-aborted.ts";
import type { KnownTable, VectorTables } from "./vector-tables.ts";

/** What the indexes are made and kept with. */
export interface LiveIndexParts {
  tables: VectorTables;
  policy: IndexPolicy;
  activity: SearchActivity;
  snapshots: SnapshotStore | undefined;
  /** Absent where nothing may be written. */
  upkeep: VectorUpkeep | undefined;
  /** Whether another connection keeps them: none is made here. */
  keptElsewhere: boolean;
}

/** Longest step of linking an index that is made anew, in milliseconds: searches run between two. */
const LINK_SLICE_MS = 5;

/** How often a snapshot is tried of an index that changes meanwhile; after that it is due in the background. */
const MOST_SAVES = 3;

/** A generation as a search finds it. */
interface Generation {
  generationKey: number;
  logStart: number;
  newest: number;
}

/** The indexes of all generations that are searched, each opened when it is first asked for and kept in step with its rows. */
export class LiveIndexes {
  readonly #db: SqlDatabase;
  readonly #parts: LiveIndexParts;
  readonly #live = new Map<number, LiveIndex>();
  readonly #work: BackgroundWork;
  /** Generations that were written and whose indexes have not been told. */
  readonly #written = new Map<string, { table: KnownTable; version: string }>();
  /** Tables that may have snapshots of generations that are gone. */
  readonly #untidy = new Map<string, KnownTable>();
  #closed = false;

  constructor(db: SqlDatabase, parts: LiveIndexParts) {
    this.#db = db;
    this.#parts = parts;
    this.#work = new BackgroundWork(
      parts.activity,
      () => this.#followWrites(),
      () => [...this.#live.values()],
      () => this.#tidySnapshots(),
    );
  }

  /** What opening each index did, in the order in which they were first used. */
  get reports(): VectorOpenReport[] {
    return [...this.#live.values()].flatMap(({ report }) => (report === undefined ? [] : [report]));
  }

  /** What keeps the background work from going on. */
  get error(): StorageError | undefined {
    return this.#work.error;
  }

  /** The index of a generation, if it is open. */
  opened(generationKey: number): LiveIndex | undefined {
    return this.#live.get(generationKey);
  }

  /** Takes in, in the background, what was written of a generation. */
  noteWritten(table: KnownTable, version: string): void {
    this.#written.set(`${table.indexId} ${version}`, { table, version });
    this.#work.start();
  }

  /** The index of a generation, brought to the last commit, or `undefined` where there is no such generation. */
  async current(table: KnownTable, modelVersion: string, signal?: AbortSignal): Promise<LiveIndex | undefined> {
    const { policy, snapshots, upkeep } = this.#parts;
    if (this.#parts.keptElsewhere) throw keptElsewhere();
    const generation = await this.#db.get<Generation>(
      `SELECT generation_key AS generationKey, log_start AS logStart,
         (SELECT seq FROM sqlite_sequence WHERE name = 'vector_changes') AS newest
       FROM vector_generations WHERE table_key = $1 AND model_version = $2`,
      [table.tableKey, modelVersion],
    );
    if (generation === undefined) {
      this.#forget(table, modelVersion);
      return undefined;
    }
    let live = this.#live.get(generation.generationKey);
    if (live === undefined) {
      // Nothing is waited for in between: who comes meanwhile must find it, not make another.
      live = new LiveIndex(this.#db, table, { ...generation, modelVersion }, policy, snapshots, upkeep);
      this.#live.set(generation.generationKey, live);
      this.#forget(table, modelVersion, generation.generationKey);
    }
    await live.current(generation.newest ?? 0, signal);
    if (live.hasWork || live.wantsFilling || live.snapshotDue(false)) this.#work.start();
    return live;
  }

  /** As {@link LiveIndexes.current}, of a generation that must be there.
   *  @throws StorageError NOT_FOUND, INVALID_INPUT (version) */
  async known(table: KnownTable, modelVersion: string, operation: string): Promise<LiveIndex> {
    const site = { capability: "vectors", operation } as const;
    const live = await this.current(table, requireModelVersion(site, "modelVersion", modelVersion));
    if (live !== undefined) return live;
    throw new StorageError("NOT_FOUND", `"${table.tableName}" has no vectors of the version "${modelVersion}"`, site);
  }

  /** Makes an index anew, links it and stores its snapshot. */
  async rebuild(
    live: LiveIndex,
    signal: AbortSignal | undefined,
    onProgress: ((progress: VectorRebuildProgress) => void) | undefined,
  ): Promise<void> {
    const before = live.snapshot;
    const tell = (phase: VectorRebuildProgress["phase"], done: number, total: number): void =>
      onProgress?.({ phase, done, total });
    await live.rebuild("it was asked for", signal, ({ done, total }) => tell("reading", done, total));
    for (let more = live.hasWork; more;) {
      more = await live.work(LINK_SLICE_MS);
      const { count, pendingCount } = live.index!;
      tell("linking", count - pendingCount, count);
      await this.#parts.activity.turn();
      throwIfAborted(signal, "rebuild");
    }
    await this.#work.finish();
    // One that is due was stored by now; others are, for whoever asks for an index wants it to last.
    for (let tries = 0; live.snapshot === before && tries < MOST_SAVES; tries++) await live.save();
    this.#work.start();
  }

  /** Opens all indexes, and waits until they have taken in all that is committed. */
  async flush(): Promise<void> {
    const { tables } = this.#parts;
    for (const table of await tables.all()) {
      for (const { modelVersion } of await tables.generations(table)) await this.current(table, modelVersion);
    }
    await this.#work.finish();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#work.stop();
    const due = [...this.#live.values()].filter((live) => live.snapshotDue(true));
    this.#live.clear();
    const failures: unknown[] = [];
    for (const live of due) await live.save().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  /** Opens the indexes of what was written: it will be searched, and then nobody should have to wait. */
  async #followWrites(): Promise<void> {
    for (const [key, { table, version }] of this.#written) {
      if (this.#closed) return;
      await this.current(table, version);
      this.#written.delete(key);
    }
  }

  /** Drops the indexes of a version's generations that are no longer there; the snapshots of all that are not go later.
   *  @param kept Key of the one that is. */
  #forget(table: KnownTable, modelVersion: string, kept?: number): void {
    const gone = [...this.#live].filter(
      ([key, live]) => key !== kept && live.table.indexId === table.indexId && live.modelVersion === modelVersion,
    );
    for (const [key] of gone) this.#live.delete(key);
    this.#untidy.set(table.indexId, table);
    this.#work.start();
  }

  async #tidySnapshots(): Promise<void> {
    if (this.#parts.upkeep === undefined) this.#untidy.clear();
    for (const [indexId, table] of this.#untidy) {
      const living = await this.#parts.tables.generations(table);
      const keys = living.map(({ generationKey }) => generationKey);
      await this.#parts.snapshots?.deleteAllBut(table, keys);
      this.#untidy.delete(indexId);
    }
  }
}

function keptElsewhere(): StorageError {
  return new StorageError("UNSUPPORTED", "another connection keeps the indexes of this store", {
    capability: "vectors",
    operation: "search",
  });
}
