import type { SqlDatabase } from "../../contracts/sql.ts";
import type { VectorExamination, VectorSnapshotState } from "../../contracts/vectors.ts";
import { storedVectorBytes } from "../../formats/stored-vector.ts";
import { describeIndex } from "./describe-index.ts";
import { foreignSnapshot } from "./foreign-snapshot.ts";
import { GenerationRows } from "./generation-rows.ts";
import type { IndexPolicy } from "./index-policy.ts";
import { LiveIndex } from "./live-index.ts";
import { measureRecall } from "./self-check.ts";
import type { SnapshotStore } from "./snapshot-store.ts";
import { throwIfAborted } from "./throw-if-aborted.ts";
import { VectorIndex } from "./vector-index.ts";
import type { KnownGeneration, KnownTable } from "./vector-tables.ts";

/** Most vectors of an index that is made from its rows for a quick look. */
const QUICK_VECTORS = 10_000;
/** Vectors that are searched for to measure recall. */
const SAMPLE = 50;
/** Recall under which a graph is broken, rather than one over vectors and a metric that are hard. */
const MIN_RECALL = 0.5;
/** How often an index that is being written is looked at again. */
const MOST_LOOKS = 5;

/** What is looked at. */
export interface ExamineParts {
  db: SqlDatabase;
  policy: IndexPolicy;
  snapshots: SnapshotStore | undefined;
  /** Returns the index of a generation if it is open. */
  open: (generationKey: number) => LiveIndex | undefined;
}

/** Looks at the index of one generation, at its rows and its snapshot. Writes nothing: an index that is not open is opened for this
 *  look alone, found by nobody else, and without a snapshot that opening would refuse for good. */
export async function examineIndex(
  parts: ExamineParts,
  table: KnownTable,
  generation: KnownGeneration,
  { quick, signal }: { quick: boolean; signal: AbortSignal | undefined },
): Promise<VectorExamination> {
  const { db, policy, snapshots } = parts;
  const { modelVersion, generationKey } = generation;
  const rows = new GenerationRows(db, table, generationKey);
  const snapshot = await examineSnapshot(parts, rows, modelVersion);
  const { length: vectors } = (await rows.committedLabels()).labels;
  const vectorBytes = storedVectorBytes(table.encoding, table.dimensions) * vectors;
  const open = parts.open(generationKey);
  const usable = snapshot?.problem === null ? snapshots : undefined;
  if (quick && open?.index === undefined && usable === undefined && vectors > QUICK_VECTORS) {
    return { modelVersion, vectors, vectorBytes, index: null, problem: null, recall: null, snapshot };
  }
  const live = open ?? new LiveIndex(db, table, generation, policy, usable, undefined);
  let problem = await compareWithRows(rows, live, signal);
  if (snapshot?.problem === null && open === undefined && live.report?.source === "rebuilt") {
    // Its checksum is right, and opening went past it all the same.
    snapshot.problem = live.report.reason;
  }
  const index = describeIndex(live);
  throwIfAborted(signal, "examine");
  const recall = quick || index.vectors === 0 ? null : (await measureRecall(db, live, SAMPLE)).recall;
  if (recall !== null && recall < MIN_RECALL) problem ??= `it finds ${recall.toFixed(2)} of the ten nearest`;
  return { modelVersion, vectors, vectorBytes, index, problem, recall, snapshot };
}

/** Says in what an index differs from its rows, once both stand at the same change. */
async function compareWithRows(
  rows: GenerationRows,
  live: LiveIndex,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    throwIfAborted(signal, "examine");
    const { labels, newest } = await rows.committedLabels();
    const index = await live.current(newest, signal);
    if (live.revision !== newest) continue;
    const lacking = labels.reduce((count, label) => (index.has(label) ? count : count + 1), 0);
    const gone = index.count - (labels.length - lacking);
    return lacking + gone === 0
      ? null
      : `it lacks ${lacking} of ${labels.length} vectors, and has ${gone} that are gone`;
  }
  // Somebody writes faster than one can look: what is being written is not out of step.
  return null;
}

async function examineSnapshot(
  { policy, snapshots }: ExamineParts,
  rows: GenerationRows,
  modelVersion: string,
): Promise<VectorSnapshotState | null> {
  const { table, generationKey } = rows;
  const hash64 = (graph: Uint8Array): bigint =>
    new VectorIndex(policy.kernel, policy.optionsOf(table, "sq8", 0)).checksum(graph);
  const found = await snapshots?.examine(table, modelVersion, generationKey, hash64);
  if (found === undefined) return null;
  const { sizeBytes, envelope } = found;
  if (envelope === undefined) return { sizeBytes, revision: null, createdAt: null, behind: 0, problem: found.problem };
  const { revision, createdAt } = envelope;
  const problem = found.problem ?? (await whyUseless(rows, { revision, createdAt, sizeBytes }));
  return { sizeBytes, revision, createdAt, behind: await rows.countChangesAfter(revision), problem };
}

/** Says why a sound snapshot is no use, if it is not: what opening says, too. */
async function whyUseless(
  rows: GenerationRows,
  stored: { revision: number; createdAt: number; sizeBytes: number },
): Promise<string | null> {
  const foreign = await foreignSnapshot(rows, stored);
  if (foreign !== undefined) return foreign;
  return stored.revision < (await rows.logStart()) ? "changes newer than the snapshot are no longer in the log" : null;
}
