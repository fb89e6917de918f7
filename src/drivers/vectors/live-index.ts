import type { SqlDatabase } from "../../contracts/sql.ts";
import type { VectorUpkeep } from "../../contracts/vector-upkeep.ts";
import type { AllowedKeys, VectorOpenReport, VectorProgress } from "../../contracts/vectors.ts";
import { nextTurn } from "../../turns.ts";
import type { SnapshotStore, StoredSnapshot } from "./snapshot-store.ts";
import { type BuiltIndex, buildIndex } from "./build-index.ts";
import { chooseQuantization, SAMPLE_SIZE } from "./choose-quantization.ts";
import { foreignSnapshot } from "./foreign-snapshot.ts";
import { GenerationRows } from "./generation-rows.ts";
import type { IndexPolicy } from "./index-policy.ts";
import type { AllowedVectors, IndexResult, IndexSearchOptions } from "./index-search.ts";
import type { VectorIndex } from "./vector-index.ts";
import { throwIfAborted } from "./throw-if-aborted.ts";
import type { KnownGeneration, KnownTable } from "./vector-tables.ts";

/** Changes that one step of following the log reads, */
const CHANGES_A_STEP = 256;
/** and rows that one step of reading full-precision vectors beside searches does. */
const ROWS_TO_FILL = 32;

/** The index of one generation: made from a snapshot or from the rows, and kept in step with them by the log of changes. Its
 *  labels are chunk keys, and it holds what is committed and nothing else. The rows are the truth; it can be thrown away at any moment. */
export class LiveIndex {
  readonly table: KnownTable;
  readonly generationKey: number;
  readonly modelVersion: string;
  readonly #rows: GenerationRows;
  readonly #policy: IndexPolicy;
  readonly #snapshots: SnapshotStore | undefined;
  /** Absent where nothing may be written: snapshots are read then, and none is made. */
  readonly #upkeep: VectorUpkeep | undefined;
  /** The end of the last change: one at a time. */
  #turn: Promise<void> = Promise.resolve();
  #index: VectorIndex | undefined;
  #revision = 0;
  #report: VectorOpenReport | undefined;
  #snapshot: StoredSnapshot | null = null;
  #changesSinceSnapshot = 0;
  /** Whether there were too few vectors to choose how they are read. */
  #undecided = false;
  /** The last filter's vectors. */
  #allowed: (AllowedVectors & { of: AllowedKeys; changes: number }) | undefined;
  /** Key of the row up to which full-precision vectors have been read. */
  #filledTo = 0;
  /** Change of the index at which all rows had been read and some vector was lacking all the same. */
  #lackingAt = -1;

  constructor(
    db: SqlDatabase,
    table: KnownTable,
    generation: KnownGeneration,
    policy: IndexPolicy,
    snapshots: SnapshotStore | undefined,
    upkeep: VectorUpkeep | undefined,
  ) {
    this.#rows = new GenerationRows(db, table, generation.generationKey);
    this.table = table;
    this.generationKey = generation.generationKey;
    this.modelVersion = generation.modelVersion;
    this.#policy = policy;
    this.#snapshots = snapshots;
    this.#upkeep = upkeep;
  }

  /** The index as it stands; undefined before the first use. */
  get index(): VectorIndex | undefined {
    return this.#index;
  }

  get revision(): number {
    return this.#revision;
  }

  get report(): VectorOpenReport | undefined {
    return this.#report;
  }

  get snapshot(): StoredSnapshot | null {
    return this.#snapshot;
  }

  /** Whether vectors wait for links and the policy wants them linked. */
  get hasWork(): boolean {
    const index = this.#index;
    return index !== undefined && index.options.m > 0 && index.pendingCount > 0 && this.#policy.wantsGraph(index);
  }

  /** Whether full-precision vectors are still to be read. */
  get wantsFilling(): boolean {
    const index = this.#index;
    return index !== undefined && index.resident && !index.complete && this.#lackingAt !== index.changes;
  }

  /** Whether enough has changed for a new snapshot, or on closing anything worth it. */
  snapshotDue(closing: boolean): boolean {
    const index = this.#index;
    if (index === undefined || this.#snapshots === undefined || this.#upkeep === undefined) return false;
    if (this.hasWork && !closing) return false;
    return this.#policy.snapshotDue(this.#changesSinceSnapshot, index.count, closing);
  }

  /** Brings the index to the change `newest` and returns it. */
  async current(newest: number, signal?: AbortSignal): Promise<VectorIndex> {
    if (this.#index === undefined || this.#revision < newest) {
      await this.#alone(async () => {
        if (this.#index === undefined) await this.#open(signal);
        await this.#replay(signal);
        await this.#reconsider();
      });
    }
    return this.#index as unknown as VectorIndex;
  }

  async search(query: Float32Array, options: IndexSearchOptions): Promise<IndexResult> {
    const index = this.#index as VectorIndex;
    return index.search(query, options, (labels) => this.#rows.vectorsOf(labels));
  }

  /** Links vectors for about `sliceMs`. Returns whether more wait. */
  async work(sliceMs: number): Promise<boolean> {
    await this.#alone(() => {
      const index = this.#index;
      if (index === undefined || !this.hasWork) return;
      const end = performance.now() + sliceMs;
      do {
        const before = index.pendingCount;
        const left = index.link(8);
        this.#changesSinceSnapshot += before - left;
        if (left === 0) break;
      } while (performance.now() < end);
    });
    return this.hasWork;
  }

  /** Reads all rows into a new index, which takes the place of the old one when it is whole. */
  async rebuild(reason: string, signal?: AbortSignal, onProgress?: (progress: VectorProgress) => void): Promise<void> {
    const start = performance.now();
    const built = await buildIndex(this.#rows, this.#policy, signal, onProgress);
    await this.#alone(async () => {
      this.#take(built);
      this.#changesSinceSnapshot = built.index.count;
      await this.#replay(signal);
      this.#report = this.#describe("rebuilt", reason, start, 0);
    });
  }

  /** Writes a snapshot, unless the index changes meanwhile or its generation is gone. Returns whether it did. */
  async save(): Promise<boolean> {
    const since = await this.#rows.createdAt();
    const index = this.#index;
    const upkeep = this.#upkeep;
    if (since === undefined || index === undefined || this.#snapshots === undefined || upkeep === undefined)
      return false;
    // From here to the first look at the index nothing is waited for: what it holds is what these say.
    const revision = this.#revision;
    const changes = this.#changesSinceSnapshot;
    // Of a clock that was set back a snapshot must not look older than what it stands for.
    const createdAt = Math.max(Date.now(), since);
    const written = await this.#snapshots.write(
      this.table,
      this.modelVersion,
      this.generationKey,
      index,
      revision,
      createdAt,
    );
    if (written === null || this.#index !== index) return false;
    this.#snapshot = written.stored;
    this.#changesSinceSnapshot -= changes;
    await upkeep.pruneLog(this.generationKey, revision);
    await this.#relink(index, written.cutOff);
    return true;
  }

  /** Puts vectors that no walk reaches in line for new links. Many doubles of one vector hang on the rest by few of them, and deletions
   *  may cut them off. The snapshot is as good without: once opened, this would be found again. */
  async #relink(index: VectorIndex, labels: readonly number[]): Promise<void> {
    for (let from = 0; from < labels.length; from += CHANGES_A_STEP) {
      await this.#alone(async () => {
        if (this.#index === index) await this.#bring(new Set(labels.slice(from, from + CHANGES_A_STEP)));
      });
      await nextTurn();
    }
  }

  /** The vectors of the chunks that are allowed. The last answer is kept until the index changes. */
  allowed(chunks: AllowedKeys): AllowedVectors {
    const index = this.#index as VectorIndex;
    if (this.#allowed?.of === chunks && this.#allowed.changes === index.changes) return this.#allowed;
    this.#allowed = { of: chunks, changes: index.changes, labels: chunks.keys.filter((key) => index.has(key)) };
    return this.#allowed;
  }

  /** Reads full-precision vectors that the index is to keep, in the order of the rows, for about `sliceMs`. Returns whether there
   *  are more. */
  async fill(sliceMs: number): Promise<boolean> {
    const index = this.#index;
    if (index === undefined || !this.wantsFilling) return false;
    const end = performance.now() + sliceMs;
    do {
      const rows = await this.#rows.after(this.#filledTo, ROWS_TO_FILL);
      for (const { label, vector } of rows) index.keep(label, vector);
      this.#filledTo = rows.at(-1)?.row ?? 0;
      if (rows.length < ROWS_TO_FILL) {
        // What came meanwhile brought its vector along. What still lacks one has lost its row, and the log will say so.
        index.settle();
        this.#lackingAt = index.complete ? -1 : index.changes;
        return false;
      }
    } while (performance.now() < end);
    return true;
  }

  async #open(signal?: AbortSignal): Promise<void> {
    const start = performance.now();
    const snapshot = await this.#snapshots?.read(this.table, this.modelVersion, this.generationKey, this.#policy);
    let reason = snapshot === undefined ? "there are no snapshots" : snapshot.passedOver;
    let found = snapshot?.found;
    const foreign = found === undefined ? undefined : await foreignSnapshot(this.#rows, found.stored);
    if (foreign !== undefined) {
      // Snapshots up to now are refused for good: the numbers of their changes will be, or have been, those of others here. A file need
      // not go for that, which a folder that cannot be written would forbid; the next snapshot takes its place.
      await this.#upkeep?.refuseSnapshots(this.generationKey, Date.now() + 1);
      reason = foreign;
      found = undefined;
    }
    if (found !== undefined && found.stored.revision >= (await this.#rows.logStart())) {
      const undecided = this.#policy.quantization === "auto" && found.index.count < SAMPLE_SIZE;
      this.#take({ index: found.index, revision: found.stored.revision, undecided });
      this.#snapshot = found.stored;
      const { changes } = found.index;
      await this.#replay(signal);
      this.#report = this.#describe("snapshot", reason, start, found.index.changes - changes);
      return;
    }
    if (found !== undefined) reason = "changes newer than the snapshot are no longer in the log";
    await this.#renew(signal);
    this.#report = this.#describe("rebuilt", reason, start, 0);
  }

  /** Builds the index in its place. */
  async #renew(signal?: AbortSignal): Promise<void> {
    const built = await buildIndex(this.#rows, this.#policy, signal);
    this.#take(built);
    const { index } = built;
    this.#changesSinceSnapshot = index.count;
  }

  async #alone(job: () => Promise<void> | void): Promise<void> {
    const before = this.#turn;
    let done: () => void = () => undefined;
    this.#turn = new Promise((resolve) => {
      done = resolve;
    });
    await before;
    try {
      await job();
    } finally {
      done();
    }
  }

  #describe(source: "snapshot" | "rebuilt", reason: string | null, start: number, replayed: number): VectorOpenReport {
    return {
      tableName: this.table.tableName,
      modelVersion: this.modelVersion,
      source,
      reason,
      vectors: this.#index?.count ?? 0,
      replayed,
      elapsedMs: performance.now() - start,
    };
  }

  #take({ index, revision, undecided }: BuiltIndex): void {
    this.#index = index;
    this.#revision = revision;
    this.#undecided = undecided;
    this.#allowed = undefined;
    this.#filledTo = 0;
  }

  /** What began with few vectors is looked at once more when there are enough to choose how they are read. */
  async #reconsider(): Promise<void> {
    const index = this.#index as VectorIndex;
    if (!this.#undecided || index.count < SAMPLE_SIZE) return;
    const chosen = chooseQuantization(this.#policy, this.table, await this.#rows.sample(index.count, SAMPLE_SIZE));
    // Not the caller's to abort: what it searches with would stay as it is for good.
    if (chosen !== undefined && chosen !== index.options.quantization) await this.#renew();
    this.#undecided = false;
  }

  /** Takes in what the log holds beyond the index. */
  async #replay(signal?: AbortSignal): Promise<void> {
    const newest = await this.#rows.newestChange();
    while (this.#revision < newest) {
      throwIfAborted(signal, "open");
      const changes = await this.#rows.changesAfter(this.#revision, CHANGES_A_STEP);
      // Another process may cut the log after its own snapshot at any moment: looked at after the changes were read, its beginning
      // says whether some were missing.
      if ((await this.#rows.logStart()) > this.#revision) {
        await this.#renew(signal);
        continue;
      }
      const labels = new Set(changes.map(({ label }) => label));
      await this.#bring(labels);
      this.#changesSinceSnapshot += labels.size;
      this.#revision = changes.length < CHANGES_A_STEP ? newest : (changes.at(-1) as { change: number }).change;
      if (this.#revision < newest) await nextTurn();
    }
  }

  /** Brings these labels to what their rows say now, which may be newer than the change that named them. */
  async #bring(labels: ReadonlySet<number>): Promise<void> {
    if (labels.size === 0) return;
    const index = this.#index as VectorIndex;
    const gone = new Set(labels);
    for (const { label, vector } of await this.#rows.committedOf(labels)) {
      gone.delete(label);
      index.add(label, vector);
    }
    for (const label of gone) index.remove(label);
  }
}
