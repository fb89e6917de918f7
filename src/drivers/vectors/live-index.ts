import type { SqlDatabase } from "../../contracts/sql.ts";
import type { VectorUpkeep } from "../../contracts/vector-upkeep.ts";
import type { VectorOpenReport, VectorProgress } from "../../contracts/vectors.ts";
import { nextTurn } from "../../turns.ts";
import type { SnapshotStore, StoredSnapshot } from "./snapshot-store.ts";
import { chooseQuantization, SAMPLE_SIZE } from "./choose-quantization.ts";
import type { IndexPolicy } from "./index-policy.ts";
import type { AllowedKeys } from "./allowed-chunks.ts";
import type { AllowedVectors, IndexResult, IndexSearchOptions, VectorIndex } from "./vector-index.ts";
import { throwIfAborted } from "./throw-if-aborted.ts";
import { vectorOf } from "./vector-rows.ts";
import type { KnownGeneration, KnownTable } from "./vector-tables.ts";

/** Rows that one step of a rebuild reads, */
const ROWS_A_STEP = 512;
/** one step of following the log, */
const CHANGES_A_STEP = 256;
/** and one step of reading full-precision vectors beside searches. */
const ROWS_TO_FILL = 32;

const DAY_MS = 86_400_000;

const LABEL_AND_VECTOR = "v.chunk_key AS label, v.vector";
/** By its id a record is found at once: an equality would lead the planner through all that are committed. */
const COMMITTED = "r.status NOT IN ('pending', 'tombstone')";

/** An index that was made, from whichever source. */
interface BuiltIndex {
  index: VectorIndex;
  /** Last change that it holds. */
  revision: number;
  /** Whether there were too few vectors to choose how they are read: floats, until there are more. */
  undecided: boolean;
}

/** The index of one generation: made from a snapshot or from the rows, and kept in step with them by the log of changes. Its
 *  labels are chunk keys, and it holds what is committed and nothing else. The rows are the truth; it can be thrown away at any moment. */
export class LiveIndex {
  readonly table: KnownTable;
  readonly generationKey: number;
  readonly modelVersion: string;
  readonly #db: SqlDatabase;
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
    this.#db = db;
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
    return index.search(query, options, (labels) => this.#vectorsOf(labels));
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
    const built = await this.#build(signal, onProgress);
    await this.#alone(async () => {
      this.#take(built);
      this.#changesSinceSnapshot = built.index.count;
      await this.#replay(signal);
      this.#report = this.#describe("rebuilt", reason, start, 0);
    });
  }

  /** Writes a snapshot, unless the index changes meanwhile or its generation is gone. Returns whether it did. */
  async save(): Promise<boolean> {
    const since = await this.#generationCreatedAt();
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
      const rows = await this.#db.all<{ row: number; label: number; vector: Uint8Array }>(
        `SELECT vector_key AS row, chunk_key AS label, vector FROM "${this.table.tableName}"
         WHERE generation_key = $1 AND vector_key > $2 ORDER BY vector_key LIMIT ${ROWS_TO_FILL}`,
        [this.generationKey, this.#filledTo],
      );
      for (const { label, vector } of rows) index.keep(label, vectorOf(vector));
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

  async #newestChange(): Promise<number> {
    const row = await this.#db.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'vector_changes'");
    return row?.seq ?? 0;
  }

  async #open(signal?: AbortSignal): Promise<void> {
    const start = performance.now();
    const snapshot = await this.#snapshots?.read(this.table, this.modelVersion, this.generationKey, this.#policy);
    let reason = snapshot === undefined ? "there are no snapshots" : snapshot.passedOver;
    let found = snapshot?.found;
    const foreign = found === undefined ? undefined : await this.#notOfThisDatabase(found.stored);
    if (foreign !== undefined) {
      await this.#refuseSnapshots();
      reason = foreign;
      found = undefined;
    }
    if (found !== undefined && found.stored.revision >= (await this.#logStart())) {
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

  /** Says why a snapshot belongs to a later or another state of the database, if it does. */
  async #notOfThisDatabase({ revision, createdAt }: StoredSnapshot): Promise<string | undefined> {
    if (revision > (await this.#newestChange())) return "the snapshot is newer than the database";
    const since = (await this.#generationCreatedAt()) ?? 0;
    if (createdAt > Math.max(Date.now(), since) + DAY_MS) return "the snapshot is of a time to come";
    return createdAt < since ? "the snapshot is older than what it stands for" : undefined;
  }

  async #generationCreatedAt(): Promise<number | undefined> {
    const row = await this.#db.get<{ createdAt: number }>(
      "SELECT created_at AS createdAt FROM vector_generations WHERE generation_key = $1",
      [this.generationKey],
    );
    return row?.createdAt;
  }

  /** Refuses every snapshot up to now, for good: the numbers of their changes will be, or have been, those of others here. A file need
   *  not go for that, which a folder that cannot be written would forbid; the next snapshot takes its place. */
  async #refuseSnapshots(): Promise<void> {
    await this.#upkeep?.refuseSnapshots(this.generationKey, Date.now() + 1);
  }

  /** Builds the index in its place. */
  async #renew(signal?: AbortSignal): Promise<void> {
    const built = await this.#build(signal);
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

  async #logStart(): Promise<number> {
    const row = await this.#db.get<{ start: number }>(
      "SELECT log_start AS start FROM vector_generations WHERE generation_key = $1",
      [this.generationKey],
    );
    return row?.start ?? 0;
  }

  async #build(signal?: AbortSignal, onProgress?: (progress: VectorProgress) => void): Promise<BuiltIndex> {
    const revision = await this.#newestChange();
    const { total, last } = (await this.#db.get<{ total: number; last: number }>(
      `SELECT count(*) AS total, coalesce(max(vector_key), 0) AS last FROM "${this.table.tableName}"
       WHERE generation_key = $1`,
      [this.generationKey],
    )) as { total: number; last: number };
    const chosen = chooseQuantization(this.#policy, this.table, await this.#sample(total));
    const index = this.#policy.createIndex(this.table, chosen ?? "f32", total);
    // Rows that come meanwhile are in the log: whoever writes faster than this reads would keep it from its end.
    let after = 0;
    for (let done = 0; after < last;) {
      throwIfAborted(signal, "open");
      const rows = await this.#db.all<{ row: number; label: number; vector: Uint8Array }>(
        `SELECT v.vector_key AS row, ${LABEL_AND_VECTOR} FROM "${this.table.tableName}" v
         CROSS JOIN embedding_records r ON r.embedding_id = v.embedding_id
         WHERE v.generation_key = $1 AND v.vector_key > $2 AND v.vector_key <= $3 AND ${COMMITTED}
         ORDER BY v.vector_key LIMIT ${ROWS_A_STEP}`,
        [this.generationKey, after, last],
      );
      for (const { label, vector } of rows) index.add(label, vectorOf(vector));
      after = rows.length < ROWS_A_STEP ? last : (rows.at(-1) as { row: number }).row;
      done += rows.length;
      onProgress?.({ done, total });
      await nextTurn();
    }
    return { index, revision, undecided: chosen === undefined };
  }

  /** Some vectors, spread over the generation, to see how well codes would hold them; none where there are too few. */
  async #sample(total: number): Promise<Float32Array[]> {
    if (total < SAMPLE_SIZE) return [];
    // The places come from an index alone: rows of other generations, as wide as their vectors, are not touched.
    const rows = await this.#db.all<{ vector: Uint8Array }>(
      `SELECT v.vector FROM (
         SELECT vector_key AS chosen, row_number() OVER (ORDER BY chunk_key) AS place
         FROM "${this.table.tableName}" WHERE generation_key = $1
       ) s JOIN "${this.table.tableName}" v ON v.vector_key = s.chosen WHERE s.place % $2 = 0 LIMIT ${SAMPLE_SIZE}`,
      [this.generationKey, Math.floor(total / SAMPLE_SIZE)],
    );
    return rows.map(({ vector }) => vectorOf(vector));
  }

  /** What began with few vectors is looked at once more when there are enough to choose how they are read. */
  async #reconsider(): Promise<void> {
    const index = this.#index as VectorIndex;
    if (!this.#undecided || index.count < SAMPLE_SIZE) return;
    const chosen = chooseQuantization(this.#policy, this.table, await this.#sample(index.count));
    // Not the caller's to abort: what it searches with would stay as it is for good.
    if (chosen !== undefined && chosen !== index.options.quantization) await this.#renew();
    this.#undecided = false;
  }

  /** Takes in what the log holds beyond the index. */
  async #replay(signal?: AbortSignal): Promise<void> {
    const newest = await this.#newestChange();
    while (this.#revision < newest) {
      throwIfAborted(signal, "open");
      const changes = await this.#db.all<{ change: number; label: number }>(
        `SELECT change, chunk_key AS label FROM vector_changes
         WHERE generation_key = $1 AND change > $2 ORDER BY change LIMIT ${CHANGES_A_STEP}`,
        [this.generationKey, this.#revision],
      );
      // Another process may cut the log after its own snapshot at any moment: looked at after the changes were read, its beginning
      // says whether some were missing.
      if ((await this.#logStart()) > this.#revision) {
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
    const rows = await this.#db.all<{ label: number; vector: Uint8Array }>(
      `SELECT ${LABEL_AND_VECTOR} FROM json_each($1) j
       CROSS JOIN "${this.table.tableName}" v ON v.chunk_key = j.value AND v.generation_key = $2
       CROSS JOIN embedding_records r ON r.embedding_id = v.embedding_id WHERE ${COMMITTED} ORDER BY v.vector_key`,
      [JSON.stringify([...labels]), this.generationKey],
    );
    const gone = new Set(labels);
    for (const { label, vector } of rows) {
      gone.delete(label);
      index.add(label, vectorOf(vector));
    }
    for (const label of gone) index.remove(label);
  }

  async #vectorsOf(labels: readonly number[]): Promise<Map<number, Float32Array>> {
    const rows = await this.#db.all<{ label: number; vector: Uint8Array }>(
      `SELECT ${LABEL_AND_VECTOR} FROM json_each($1) j
       CROSS JOIN "${this.table.tableName}" v ON v.chunk_key = j.value AND v.generation_key = $2`,
      [JSON.stringify(labels), this.generationKey],
    );
    return new Map(rows.map(({ label, vector }) => [label, vectorOf(vector)]));
  }
}
