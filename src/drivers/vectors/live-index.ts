import type { SqlDatabase } from "../../contracts/sql.ts";
import type { VectorOpenReport, VectorProgress } from "../../contracts/vectors.ts";
import { nextTurn } from "./next-turn.ts";
import type { SnapshotStore, StoredSnapshot } from "./snapshot-store.ts";
import { type IndexPolicy, quantizationFor } from "./index-policy.ts";
import type { AllowedVectors, IndexResult, IndexSearchOptions, VectorIndex } from "./vector-index.ts";
import { vectorOf } from "./vector-rows.ts";
import type { KnownGeneration, KnownTable } from "./vector-tables.ts";

/** Rows that one step reads. */
const ROWS_A_STEP = 512;

/** The index of one generation: made from a snapshot or from the rows, and kept in step with them by the log of changes.
 *  The rows are the truth; it can be thrown away at any moment. */
export class LiveIndex {
  readonly table: KnownTable;
  readonly generationKey: number;
  readonly modelVersion: string;
  readonly #db: SqlDatabase;
  readonly #policy: IndexPolicy;
  readonly #snapshots: SnapshotStore | undefined;
  /** The end of the last change: one at a time. */
  #turn: Promise<void> = Promise.resolve();
  #index: VectorIndex | undefined;
  #revision = 0;
  #report: VectorOpenReport | undefined;
  #snapshot: StoredSnapshot | null = null;
  #changesSinceSnapshot = 0;
  /** Key of each slot's document; undefined until a filter asks for it. */
  #documents: Uint32Array | undefined;
  /** The last filter's vectors. */
  #allowed: (AllowedVectors & { id: string; changes: number }) | undefined;
  /** Slots before this one have their full-precision vector. */
  #filledTo = 0;

  constructor(
    db: SqlDatabase,
    table: KnownTable,
    generation: KnownGeneration,
    policy: IndexPolicy,
    snapshots: SnapshotStore | undefined,
  ) {
    this.#db = db;
    this.table = table;
    this.generationKey = generation.generationKey;
    this.modelVersion = generation.modelVersion;
    this.#policy = policy;
    this.#snapshots = snapshots;
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
    return index !== undefined && index.pendingCount > 0 && this.#policy.wantsGraph(index);
  }

  /** Whether enough has changed for a new snapshot, or on closing anything worth it. */
  snapshotDue(closing: boolean): boolean {
    const index = this.#index;
    if (index === undefined || this.#snapshots === undefined || (this.hasWork && !closing)) return false;
    return this.#policy.snapshotDue(this.#changesSinceSnapshot, index.count, closing);
  }

  /** Brings the index to the change `newest` and returns it. */
  async current(newest: number, signal?: AbortSignal): Promise<VectorIndex> {
    if (this.#index === undefined || this.#revision < newest) {
      await this.#alone(async () => {
        if (this.#index === undefined) await this.#open(signal);
        await this.#replay(signal);
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
    const { index, revision } = await this.#build(signal, onProgress);
    await this.#alone(async () => {
      this.#take(index, revision);
      this.#changesSinceSnapshot = index.count;
      await this.#replay(signal);
      this.#report = this.#describe("rebuilt", reason, start, 0);
    });
  }

  /** Writes a snapshot, unless the index changes meanwhile. Returns whether it did. */
  async save(): Promise<boolean> {
    const index = this.#index;
    if (index === undefined || this.#snapshots === undefined) return false;
    const revision = this.#revision;
    const changes = this.#changesSinceSnapshot;
    const stored = await this.#snapshots.write(this.table, this.modelVersion, this.generationKey, index, revision);
    if (stored === null) return false;
    this.#snapshot = stored;
    this.#changesSinceSnapshot -= changes;
    await this.#pruneLog(revision);
    return true;
  }

  /** The vectors whose document is among `documentKeys`. The last answer is kept until the index changes.
   *  @param id Equal for equal keys. */
  async allowed(documentKeys: ReadonlySet<number>, id: string): Promise<AllowedVectors> {
    const index = this.#index as VectorIndex;
    const documents = (this.#documents ??= await this.#documentsBySlot(index));
    if (this.#allowed?.id === id && this.#allowed.changes === index.changes) return this.#allowed;
    const labels = index.labels();
    const found = new Uint32Array(labels.length);
    let count = 0;
    for (let slot = 0; slot < labels.length; slot++) {
      const label = labels[slot] as number;
      if (documentKeys.has(documents[slot] as number) && index.has(label)) found[count++] = label;
    }
    this.#allowed = { id, changes: index.changes, labels: found.slice(0, count) };
    return this.#allowed;
  }

  /** Reads full-precision vectors that the index is to keep, for about `sliceMs`. Returns whether there are more. */
  async fill(sliceMs: number): Promise<boolean> {
    const index = this.#index;
    if (index === undefined) return false;
    const end = performance.now() + sliceMs;
    do {
      const vacant = index.vacant(this.#filledTo, 64);
      if (vacant.length === 0) {
        // Once more from the first: what was replaced meanwhile may lie before.
        const again = this.#filledTo > 0;
        this.#filledTo = 0;
        return again && index.vacant(0, 1).length > 0;
      }
      const vectors = await this.#vectorsOf(vacant.map(({ label }) => label));
      for (const { slot, label } of vacant) {
        const vector = vectors.get(label);
        if (vector !== undefined) index.keep(slot, label, vector);
      }
      this.#filledTo = (vacant.at(-1) as { slot: number }).slot + 1;
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
    const found = snapshot?.found;
    if (found !== undefined && found.stored.revision >= (await this.#logStart())) {
      this.#take(found.index, found.stored.revision);
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
    const { index, revision } = await this.#build(signal);
    this.#take(index, revision);
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

  #take(index: VectorIndex, revision: number): void {
    this.#index = index;
    this.#revision = revision;
    this.#documents = undefined;
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

  async #build(
    signal?: AbortSignal,
    onProgress?: (progress: VectorProgress) => void,
  ): Promise<{ index: VectorIndex; revision: number }> {
    const revision = await this.#newestChange();
    const { total } = (await this.#db.get<{ total: number }>(
      `SELECT count(*) AS total FROM "${this.table.tableName}" WHERE generation_key = $1`,
      [this.generationKey],
    )) as { total: number };
    const sample = await this.#sample(total);
    const index = this.#policy.createIndex(this.table, quantizationFor(this.#policy, this.table, sample), total);
    let after = 0;
    for (let done = 0; ;) {
      signal?.throwIfAborted();
      const rows = await this.#db.all<{ label: number; vector: Uint8Array }>(
        `SELECT vector_key AS label, vector FROM "${this.table.tableName}"
         WHERE generation_key = $1 AND vector_key > $2 ORDER BY vector_key LIMIT ${ROWS_A_STEP}`,
        [this.generationKey, after],
      );
      if (rows.length === 0) break;
      for (const { label, vector } of rows) index.add(label, vectorOf(vector));
      after = (rows.at(-1) as { label: number }).label;
      done += rows.length;
      onProgress?.({ done, total });
      await nextTurn();
    }
    return { index, revision };
  }

  /** Some vectors, spread over the table, to see how well codes would hold them. */
  async #sample(total: number): Promise<Float32Array[]> {
    if (total === 0) return [];
    const step = Math.max(1, Math.floor(total / 256));
    const rows = await this.#db.all<{ vector: Uint8Array }>(
      `SELECT vector FROM "${this.table.tableName}" WHERE generation_key = $1 AND vector_key % $2 = 0 LIMIT 256`,
      [this.generationKey, step],
    );
    return rows.map(({ vector }) => vectorOf(vector));
  }

  /** Takes in what the log holds beyond the index. */
  async #replay(signal?: AbortSignal): Promise<void> {
    const newest = await this.#newestChange();
    // Another process may have cut the log after its own snapshot.
    if ((await this.#logStart()) > this.#revision) await this.#renew(signal);
    while (this.#revision < newest) {
      signal?.throwIfAborted();
      const changes = await this.#db.all<{ change: number; label: number; removed: number }>(
        `SELECT change, vector_key AS label, removed FROM vector_changes
         WHERE generation_key = $1 AND change > $2 ORDER BY change LIMIT ${ROWS_A_STEP}`,
        [this.generationKey, this.#revision],
      );
      await this.#apply(changes);
      this.#revision = changes.length < ROWS_A_STEP ? newest : (changes.at(-1) as { change: number }).change;
    }
  }

  async #apply(changes: readonly { label: number; removed: number }[]): Promise<void> {
    const index = this.#index as VectorIndex;
    const gone = new Set(changes.filter(({ removed }) => removed === 1).map(({ label }) => label));
    const come = changes.filter(({ label, removed }) => removed === 0 && !gone.has(label)).map(({ label }) => label);
    const rows = come.length === 0 ? [] : await this.#rows(come);
    for (const label of gone) if (index.remove(label)) this.#changesSinceSnapshot++;
    for (const { label, documentKey, vector } of rows) {
      const slot = index.add(label, vectorOf(vector));
      this.#changesSinceSnapshot++;
      if (this.#documents === undefined) continue;
      if (slot >= this.#documents.length) this.#documents = grown(this.#documents, slot + 1);
      this.#documents[slot] = documentKey;
    }
  }

  async #rows(labels: readonly number[]): Promise<{ label: number; documentKey: number; vector: Uint8Array }[]> {
    return this.#db.all(
      `SELECT vector_key AS label, document_key AS documentKey, vector FROM "${this.table.tableName}"
       WHERE vector_key IN (SELECT value FROM json_each($1)) ORDER BY vector_key`,
      [JSON.stringify(labels)],
    );
  }

  async #vectorsOf(labels: readonly number[]): Promise<Map<number, Float32Array>> {
    return new Map((await this.#rows(labels)).map(({ label, vector }) => [label, vectorOf(vector)]));
  }

  async #documentsBySlot(index: VectorIndex): Promise<Uint32Array> {
    const rows = await this.#db.all<{ label: number; documentKey: number }>(
      `SELECT vector_key AS label, document_key AS documentKey FROM "${this.table.tableName}" WHERE generation_key = $1`,
      [this.generationKey],
    );
    const keys = new Map(rows.map(({ label, documentKey }) => [label, documentKey]));
    return Uint32Array.from(index.labels(), (label) => keys.get(label) ?? 0);
  }

  async #pruneLog(revision: number): Promise<void> {
    await this.#db.transaction(async (tx) => {
      await tx.run("DELETE FROM vector_changes WHERE generation_key = $1 AND change <= $2", [
        this.generationKey,
        revision,
      ]);
      await tx.run("UPDATE vector_generations SET log_start = max(log_start, $2) WHERE generation_key = $1", [
        this.generationKey,
        revision,
      ]);
    });
  }
}

function grown(values: Uint32Array, length: number): Uint32Array {
  const more = new Uint32Array(Math.max(length, Math.ceil(values.length * 1.5)));
  more.set(values);
  return more;
}
