import type { CheckedSweep } from "../../contracts/check-embeddings.ts";
import type { EmbeddingSweepReport } from "../../contracts/embeddings.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { TurnTaker } from "../../turns.ts";
import { indexIds, type RecordEraser, withoutVector } from "./eraser.ts";
import { listGenerations } from "./generations.ts";
import { OLD_RECORD, type OldRecord } from "./records.ts";
import { choosePending, chooseTombstones, throwIfAborted, type Tidy } from "./tidy.ts";
import type { VectorSide } from "./vector-side.ts";

/** Committed records that are looked at together. */
const PAGE = 1000;
/** Most chunk ids whose vectors are kept because a write or a deletion of them is not at its end. */
const MAX_UNFINISHED = 100_000;

/** What a sweep works with. */
export interface SweepParts {
  db: SqlDatabase;
  vectors: VectorSide;
  eraser: RecordEraser;
  tidy: Tidy;
}

/** Deletes what nothing needs, or counts it, at most `maxDelete` records and vectors together. */
export async function sweepEmbeddings(parts: SweepParts, options: CheckedSweep): Promise<EmbeddingSweepReport> {
  const { db, tidy } = parts;
  const { dryRun, signal, maxDelete } = options;
  const before = Date.now() - options.pendingOlderThanMs;
  const report: EmbeddingSweepReport = {
    dryRun,
    tombstones: 0,
    retired: 0,
    pending: 0,
    lost: 0,
    orphans: 0,
    more: false,
  };
  const left = (): number =>
    maxDelete - report.tombstones - report.retired - report.pending - report.lost - report.orphans;
  throwIfAborted(signal, "sweep");
  if (dryRun) {
    const generations = await listGenerations(db);
    const sum = (of: (one: (typeof generations)[number]) => number): number =>
      generations.reduce((total, one) => total + of(one), 0);
    report.tombstones = Math.min(
      left(),
      sum((one) => one.tombstones),
    );
    report.retired = Math.min(
      left(),
      sum((one) => (one.role === "retired" ? one.committed + one.pending : 0)),
    );
    report.pending = Math.min(left(), await countPending(db, before));
  } else {
    report.tombstones = await tidy.erase(chooseTombstones, left(), signal);
    report.retired = await tidy.retired(left(), signal);
    report.pending = await tidy.erase(choosePending(before), left(), signal);
  }
  report.lost = await sweepLost(parts, left(), options);
  report.orphans = await sweepOrphans(parts, left(), options);
  report.more = left() === 0;
  if (!dryRun && !report.more) await tidy.indexes(signal);
  return report;
}

/** Records and vectors of one round of a sweep to its end. */
const ROUND = 10_000;

/** Sweeps, round by round, until nothing is left, pending records of any age included.
 *  @param options.onDeleted Told after every round how many records and vectors have gone. */
export async function sweepToItsEnd(
  parts: SweepParts,
  options: { dryRun: boolean; signal: AbortSignal | undefined; onDeleted: (deleted: number) => void },
): Promise<EmbeddingSweepReport> {
  const { dryRun, signal, onDeleted } = options;
  const checked = { dryRun, signal, maxDelete: dryRun ? 1_000_000 : ROUND, pendingOlderThanMs: 0 };
  const total = await sweepEmbeddings(parts, checked);
  if (dryRun) return total;
  // Each round deletes as many as it may, until one does not.
  while (total.more) {
    onDeleted(deletedBy(total));
    const round = await sweepEmbeddings(parts, checked);
    for (const kind of KINDS) total[kind] += round[kind];
    total.more = round.more;
  }
  return total;
}

const KINDS = ["tombstones", "retired", "pending", "lost", "orphans"] as const;

/** Returns how many records and vectors a sweep deleted. */
export function deletedBy(report: EmbeddingSweepReport): number {
  return KINDS.reduce((sum, kind) => sum + report[kind], 0);
}

/** Old pending records of generations that live; those of the others count as retired. */
async function countPending(db: SqlDatabase, before: number): Promise<number> {
  const row = await db.get<{ n: number }>(
    `SELECT count(*) AS n FROM embedding_records r WHERE r.status = 'pending' AND r.updated_at <= $1 AND EXISTS (
       SELECT 1 FROM embedding_models m WHERE m.model_id = r.model_id AND m.dimensions = r.dimensions
         AND (m.serving_version = r.model_version OR m.building_version = r.model_version))`,
    [before],
  );
  return row?.n ?? 0;
}

/** Looks for the vector of every committed record; a record without one goes. */
async function sweepLost(parts: SweepParts, limit: number, { dryRun, signal }: CheckedSweep): Promise<number> {
  const { vectors } = parts;
  const tables = await indexIds(vectors.store);
  const turns = new TurnTaker();
  let found = 0;
  let after: string | undefined = "";
  while (after !== undefined && found < limit) {
    throwIfAborted(signal, "sweep");
    // In one turn: a vector that is being written now is not lost.
    const page = await vectors.exclusively(() => sweepPage(parts, tables, after ?? "", limit - found, dryRun));
    found += page.lost;
    after = page.last;
    await turns.breathe();
  }
  return found;
}

async function sweepPage(
  { db, vectors, eraser }: SweepParts,
  tables: ReadonlyMap<string, string>,
  after: string,
  limit: number,
  dryRun: boolean,
): Promise<{ lost: number; last: string | undefined }> {
  const page = await committedAfter(db, after);
  const lost = (await withoutVector(vectors.store, tables, page)).slice(0, limit);
  const last = page.at(-1)?.embeddingId;
  if (dryRun) return { lost: lost.length, last };
  for (let at = 0; at < lost.length;) {
    at += await eraser.eraseNow(async (_tx, most) => lost.slice(at, at + most));
  }
  return { lost: lost.length, last };
}

/** A committed record as it was when it was read. */
export interface CommittedRecord extends OldRecord {
  updatedAt: number;
}

/** Returns a page of committed records, by id. No status is named by equality: by its index every page would read all of them. */
export function committedAfter(db: SqlDatabase, after: string): Promise<CommittedRecord[]> {
  return db.all<CommittedRecord>(
    `SELECT ${OLD_RECORD}, r.updated_at AS "updatedAt" FROM embedding_records r WHERE r.embedding_id > $1
       AND r.status NOT IN ('pending', 'tombstone')
     ORDER BY r.embedding_id LIMIT ${PAGE}`,
    [after],
  );
}

async function sweepOrphans(
  { db, vectors }: SweepParts,
  limit: number,
  { dryRun, signal }: CheckedSweep,
): Promise<number> {
  let found = 0;
  for (const { indexId } of await vectors.store.tables()) {
    if (found >= limit) break;
    throwIfAborted(signal, "sweep");
    found += await vectors.exclusively(async () => {
      const allowlist = await unfinishedChunks(db);
      const most = Math.min(limit - found, 1_000_000);
      const { orphans, deleted } = await vectors.store.orphanSweep(indexId, { allowlist, dryRun, maxDelete: most });
      return dryRun ? Math.min(orphans, most) : deleted;
    });
  }
  return found;
}

/** Chunks with a record that is on its way in or out: their vectors are no orphans. */
export async function unfinishedChunks(db: SqlDatabase): Promise<string[]> {
  const rows = await db.all<{ chunk_id: string }>(
    `SELECT DISTINCT r.chunk_id FROM embedding_records r WHERE r.status IN ('pending', 'tombstone') LIMIT ${MAX_UNFINISHED}`,
  );
  return rows.map((row) => row.chunk_id);
}
