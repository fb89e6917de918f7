import type { SqlDatabase } from "../../contracts/sql.ts";
import type { StoreStorage, VacuumOptions, VacuumReport } from "../../contracts/upkeep.ts";
import { StorageError } from "../../errors.ts";
import { nextTurn } from "../../turns.ts";
import { tidyTextIndex } from "../search/text-index.ts";
import { onceMoreOnFull } from "./on-full.ts";
import { requireRoom } from "./require-room.ts";

/** Bytes that one step gives back: it moves as many at most, some milliseconds of work, in a transaction of its own. */
const STEP_BYTES = 1024 * 1024;
/** Files that can be shortened step by step: SQLite knows who points to each of their pages. */
const INCREMENTAL = 2;

/** Gives the free pages of the database back to the file system. */
export async function vacuumStore(
  db: SqlDatabase,
  storage: StoreStorage,
  options: VacuumOptions,
): Promise<VacuumReport> {
  const vacuum = new Vacuum(db, storage, options);
  return vacuum.run();
}

interface Pages {
  pageSize: number;
  count: number;
  free: number;
  autoVacuum: number;
}

class Vacuum {
  readonly #db: SqlDatabase;
  readonly #storage: StoreStorage;
  readonly #options: VacuumOptions;
  readonly #started = performance.now();
  #before = 0;

  constructor(db: SqlDatabase, storage: StoreStorage, options: VacuumOptions) {
    this.#db = db;
    this.#storage = storage;
    this.#options = options;
  }

  async run(): Promise<VacuumReport> {
    this.#throwIfAborted();
    const pages = await this.#pages();
    this.#before = pages.count;
    const isIncremental = pages.autoVacuum === INCREMENTAL;
    if (!isIncremental) await this.#requireWhole(pages);
    await this.#merge();
    const ended = isIncremental ? await this.#release() : await this.#rewrite();
    // The file is as short as it says once its journal is taken in; where somebody reads, the next checkpoint does it.
    await this.#db.all("PRAGMA wal_checkpoint(TRUNCATE)");
    const after = await this.#pages();
    this.#tell("release", after);
    return {
      mode: isIncremental ? "incremental" : "full",
      freedBytes: this.#freed(after),
      leftBytes: after.free * after.pageSize,
      databaseBytes: after.count * after.pageSize,
      ended,
      elapsedMs: performance.now() - this.#started,
    };
  }

  /** What was deleted stays in the text index until its lists are merged. */
  async #merge(): Promise<void> {
    this.#tell("merge", await this.#pages());
    await onceMoreOnFull(() =>
      tidyTextIndex(this.#db, async () => {
        await this.#breathe();
        return !this.#isLate();
      }),
    );
  }

  async #release(): Promise<VacuumReport["ended"]> {
    const { maxBytes = Number.POSITIVE_INFINITY } = this.#options;
    // Others may have written or deleted since: what counts is what these steps gave back, and no more than was free when they began, for
    // those who go on deleting would keep it going.
    let given = 0;
    let most = Number.POSITIVE_INFINITY;
    for (;;) {
      const pages = await this.#pages();
      this.#tell("release", pages);
      most = Math.min(most, pages.free * pages.pageSize + given);
      if (pages.free === 0 || given >= most) return "done";
      if (given >= maxBytes) return "maxBytes";
      if (this.#isLate()) return "maxMs";
      await this.#breathe();
      const step = Math.ceil(Math.min(STEP_BYTES, maxBytes - given) / pages.pageSize);
      // A row for every page: `exec` need not go on to the last.
      const give = (): Promise<unknown> => this.#db.transaction((tx) => tx.all(`PRAGMA incremental_vacuum(${step})`));
      await onceMoreOnFull(give);
      const { count } = await this.#pages();
      // Nothing moves while another connection reads a state that needs the pages as they are.
      if (count >= pages.count) return "done";
      given += (pages.count - count) * pages.pageSize;
    }
  }

  /** In one statement, which nothing ends. */
  async #rewrite(): Promise<VacuumReport["ended"]> {
    await this.#breathe();
    this.#tell("release", await this.#pages());
    await this.#db.exec("PRAGMA auto_vacuum = INCREMENTAL; VACUUM");
    return "done";
  }

  async #requireWhole({ count, free, pageSize }: Pages): Promise<void> {
    const { maxBytes, maxMs } = this.#options;
    const used = (count - free) * pageSize;
    if (maxBytes !== undefined || maxMs !== undefined) {
      const message = `this store was made before files could be shortened step by step: it is written anew once, all ${used} bytes of it, so that maxBytes and maxMs cannot be kept; call vacuum without them`;
      throw new StorageError("UNSUPPORTED", message, SITE);
    }
    // A copy, and the journal that takes it into the file.
    await requireRoom(this.#storage, SITE, 2 * used, "writing the database anew");
  }

  async #pages(): Promise<Pages> {
    const row = await this.#db.get<Pages>(
      `SELECT page_size AS "pageSize", page_count AS count, freelist_count AS free, auto_vacuum AS "autoVacuum"
       FROM pragma_page_size, pragma_page_count, pragma_freelist_count, pragma_auto_vacuum`,
    );
    return row ?? { pageSize: 0, count: 0, free: 0, autoVacuum: 0 };
  }

  #freed({ count, pageSize }: Pages): number {
    return Math.max(0, this.#before - count) * pageSize;
  }

  #tell(phase: "merge" | "release", pages: Pages): void {
    this.#options.onProgress?.({ phase, freedBytes: this.#freed(pages), leftBytes: pages.free * pages.pageSize });
  }

  #isLate(): boolean {
    const { maxMs } = this.#options;
    return maxMs !== undefined && performance.now() - this.#started >= maxMs;
  }

  async #breathe(): Promise<void> {
    await nextTurn();
    this.#throwIfAborted();
  }

  #throwIfAborted(): void {
    const { signal } = this.#options;
    if (signal?.aborted !== true) return;
    const cause: unknown = signal.reason;
    if (cause instanceof StorageError && cause.code === "CLOSED") throw cause;
    throw new StorageError("ABORTED", "the vacuum was ended; what is given back stays so", { ...SITE, cause });
  }
}

const SITE = { capability: "store", operation: "vacuum" } as const;
