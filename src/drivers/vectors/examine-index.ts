import type { SqlDatabase } from "../../contracts/sql.ts";
import type { VectorExamination, VectorSnapshotState } from "../../contracts/vectors.ts";
import { describeIndex } from "./describe-index.ts";
import type { IndexPolicy } from "./index-policy.ts";
import { LiveIndex } from "./live-index.ts";
import { measureRecall } from "./self-check.ts";
import type { ExaminedSnapshot, SnapshotStore } from "./snapshot-store.ts";
import { throwIfAborted } from "./throw-if-aborted.ts";
import { VectorIndex } from "./vector-index.ts";
import type { KnownGeneration, KnownTable } from "./vector-tables.ts";

/** Most vectors of an index that is made from its rows for a quick look. */
const QUICK_VECTORS = 10_000;
/** Vectors that are searched for to measure recall. */
const SAMPLE = 50;
/** Recall under which a graph is broken, rather than one of a metric and vectors that are hard. */
const MIN_RECALL = 0.5;
/** How often an index that is being written is looked at again. */
const MOST_LOOKS = 5;
const DAY_MS = 86_400_000;

/** What is looked at. */
export interface ExamineParts {
  db: SqlDatabase;
  policy: IndexPolicy;
  snapshots: SnapshotStore | undefined;
  /** Returns the index of a generation if it is open. */
  open: (generationKey: number) => LiveIndex | undefined;
}

/** Looks at the index of one generation, at its rows and its snapshot. Writes nothing: an index that is not open is opened for this
 *  look alone, by nobody else to be found, and without a snapshot that opening would refuse for good. */
export async function examineIndex(
  parts: ExamineParts,
  table: KnownTable,
  generation: KnownGeneration,
  { quick, signal }: { quick: boolean; signal: AbortSignal | undefined },
): Promise<VectorExamination> {
  const { db, policy, snapshots } = parts;
  const { modelVersion, generationKey } = generation;
  const snapshot = await snapshotState(parts, table, generation, quick);
  const { keys } = await readRows(db, table, generationKey);
  const found: VectorExamination = {
    modelVersion,
    vectors: keys.length,
    vectorBytes: 4 * table.dimensions * keys.length,
    index: null,
    problem: null,
    recall: null,
    snapshot,
  };
  const usable = snapshot?.problem === null ? snapshots : undefined;
  const open = parts.open(generationKey);
  if (open?.index === undefined && quick && usable === undefined && keys.length > QUICK_VECTORS) return found;
  const live = open ?? new LiveIndex(db, table, generation, policy, usable);
  found.problem = await compareWithRows(db, table, live, signal);
  found.index = describeIndex(live);
  if (snapshot?.problem === null && open === undefined && live.report?.source === "rebuilt") {
    // Its checksum is right, and opening went past it all the same.
    snapshot.problem = live.report.reason;
  }
  if (quick || live.index!.count === 0) return found;
  throwIfAborted(signal, "examine");
  found.recall = (await measureRecall(db, live, SAMPLE)).recall;
  if (found.recall < MIN_RECALL) found.problem ??= `it finds ${found.recall.toFixed(2)} of the ten nearest`;
  return found;
}

interface Rows {
  /** Last change of all. */
  newest: number;
  /** Chunk keys of the committed vectors. */
  keys: number[];
}

async function readRows(db: SqlDatabase, table: KnownTable, generationKey: number): Promise<Rows> {
  const row = await db.get<{ newest: number | null; keys: string }>(
    `SELECT (SELECT seq FROM sqlite_sequence WHERE name = 'vector_changes') AS newest, json_group_array(v.chunk_key) AS keys
     FROM "${table.tableName}" v CROSS JOIN embedding_records r ON r.embedding_id = v.embedding_id
     WHERE v.generation_key = $1 AND r.status NOT IN ('pending', 'tombstone')`,
    [generationKey],
  );
  return { newest: row?.newest ?? 0, keys: JSON.parse(row?.keys ?? "[]") as number[] };
}

/** Says in what an index differs from its rows, once both stand at the same change. */
async function compareWithRows(
  db: SqlDatabase,
  table: KnownTable,
  live: LiveIndex,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    throwIfAborted(signal, "examine");
    const { newest, keys } = await readRows(db, table, live.generationKey);
    const index = await live.current(newest, signal);
    if (live.revision !== newest) continue;
    const lacking = keys.reduce((count, key) => (index.has(key) ? count : count + 1), 0);
    const gone = index.count - (keys.length - lacking);
    if (lacking + gone === 0) return null;
    return `it lacks ${lacking} of ${keys.length} vectors, and has ${gone} that are gone`;
  }
  // Somebody writes faster than one can look: what is being written is not out of step.
  return null;
}

async function snapshotState(
  { db, policy, snapshots }: ExamineParts,
  table: KnownTable,
  { modelVersion, generationKey }: KnownGeneration,
  quick: boolean,
): Promise<VectorSnapshotState | null> {
  const hash64 = quick ? undefined : (graph: Uint8Array): bigint => checksum(policy, table, graph);
  const examined = await snapshots?.examine(table, modelVersion, generationKey, hash64);
  if (examined === undefined) return null;
  const { sizeBytes, envelope } = examined;
  const revision = envelope?.revision ?? null;
  const log = await db.get<Log>(
    `SELECT log_start AS start, created_at AS since, (SELECT seq FROM sqlite_sequence WHERE name = 'vector_changes') AS newest,
       (SELECT count(*) FROM vector_changes c WHERE c.generation_key = g.generation_key AND c.change > $2) AS behind
     FROM vector_generations g WHERE generation_key = $1`,
    [generationKey, revision ?? 0],
  );
  // Without it the generation was deleted a moment ago, and its snapshot goes too.
  if (log === undefined) return null;
  return {
    sizeBytes,
    revision,
    createdAt: envelope?.createdAt ?? null,
    behind: log.behind,
    problem: examined.problem ?? mismatch(examined, log),
  };
}

interface Log {
  start: number;
  since: number;
  newest: number | null;
  behind: number;
}

/** Says why a sound snapshot does not belong to what is in the database, if it does not: what opening says, too. */
function mismatch({ envelope }: ExaminedSnapshot, { start, since, newest }: Log): string | null {
  if (envelope === undefined) return null;
  const { revision, createdAt } = envelope;
  if (revision > (newest ?? 0)) return "it is newer than the database";
  if (createdAt > Math.max(Date.now(), since) + DAY_MS) return "it is of a time to come";
  if (createdAt < since) return "it is older than what it stands for";
  return revision < start ? "changes newer than it are no longer in the log" : null;
}

function checksum(policy: IndexPolicy, table: KnownTable, graph: Uint8Array): bigint {
  return new VectorIndex(policy.kernel, policy.optionsOf(table, "sq8", 0)).checksum(graph);
}
