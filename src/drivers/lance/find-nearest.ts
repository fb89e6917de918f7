import type { SqlDatabase } from "../../contracts/sql.ts";
import type { VectorPlan } from "../../contracts/vectors.ts";
import { defaultEf } from "../vectors/search-plan.ts";
import { throwIfAborted } from "../vectors/throw-if-aborted.ts";
import { ALL_PARTITIONS, probesFor } from "./index-choice.ts";
import { keyConditions, ofVersion } from "./key-condition.ts";
import type { LanceHit, LiveTable } from "./live-table.ts";
import type { RegisteredTable } from "./table-register.ts";
import { scaledQuery, scoreOf } from "./table-schema.ts";
import { hasKey, keysInBoth, visibleAmong, visibleKeys } from "./visible-records.ts";

/** What is looked for. */
export interface NearestQuery {
  modelVersion: string;
  k: number;
  ef: number | undefined;
  /** Keys of the chunks that may be hits, ascending; any without them. */
  allowed: Uint32Array | undefined;
  signal: AbortSignal | undefined;
}

/** A committed embedding and how near it is. */
export interface FoundEmbedding {
  chunkKey: number;
  chunkId: string;
  embeddingId: string;
  score: number;
}

/** More than k are asked for: some may not be committed, and what ties with the last is to be seen. */
const SPARE = 8;
/** So many more are asked for at most to see all that ties with the last. */
const MOST_TIED = 1000;
/** A filter that allows no more keys, or no larger share of the rows, is told to Lance; of a wider one what Lance found is filtered. */
const NARROW_KEYS = 200;
const NARROW_SHARE = 0.03;
/** One that did not suffice is told to Lance after all, if it is no longer than this. */
const LISTED_KEYS = 10_000;
/** So many times more is asked for before it is looked up which embeddings are committed at all. */
const MOST_TRIES = 2;

/** Finds the nearest embeddings that are committed and allowed: k of them wherever there are k, nearest first, ties by chunk id. */
export async function findNearest(
  db: SqlDatabase,
  live: LiveTable,
  entry: RegisteredTable,
  given: Float32Array,
  query: NearestQuery,
): Promise<{ hits: FoundEmbedding[]; plan: VectorPlan }> {
  const { k, modelVersion } = query;
  const state = await live.state("search");
  // What has one generation only needs no condition; what another begins to write meanwhile is not committed as this one.
  const only = entry.generations.length === 1 ? undefined : ofVersion(modelVersion);
  const total = entry.generations.includes(modelVersion) ? await live.count("search", only) : 0;
  const plan: VectorPlan = {
    kind: "scan",
    allowed: Math.min(total, query.allowed?.length ?? total),
    total,
    unlinked: state.indexed > 0 ? state.unindexed : total,
    ef: Math.max(k, query.ef ?? defaultEf(k)),
    evaluations: 0,
    fellBack: false,
  };
  if (plan.allowed === 0) return { hits: [], plan };
  const { vector, scale } = scaledQuery(entry.metric, given);
  const isNarrow = (keys: Uint32Array, tries = 0): boolean =>
    keys.length <= Math.max(tries === 0 ? NARROW_KEYS : LISTED_KEYS, NARROW_SHARE * total);
  let { allowed } = query;
  let limit = k + SPARE;
  if (allowed !== undefined && !isNarrow(allowed)) limit = Math.ceil((1.2 * limit * total) / allowed.length);
  let everywhere = state.indexed === 0 || entry.metric === "dot" || (allowed !== undefined && isNarrow(allowed));
  for (let tries = 0; ; tries++) {
    throwIfAborted(query.signal, "search");
    // Counted anew: what others write meanwhile may crowd in before what is committed.
    const rowsNow = await live.count("search", only);
    // One more than there are: Lance returns fewer than it was asked for only where it has no more.
    limit = Math.min(limit, rowsNow + 1);
    const probes = everywhere ? ALL_PARTITIONS : probesFor(Math.max(plan.ef, limit), entry.partitions);
    everywhere = probes === ALL_PARTITIONS;
    const listed = allowed !== undefined && isNarrow(allowed, tries) ? allowed : undefined;
    const rows = await ask(live, { vector, limit, probes: state.indexed > 0 ? probes : undefined, only, listed });
    plan.kind = everywhere ? "scan" : "walk";
    const share = everywhere ? 1 : probes / entry.partitions;
    plan.evaluations += everywhere ? (listed?.length ?? total) : Math.round(state.indexed * share) + state.unindexed;
    const candidates = allowed === undefined ? rows : rows.filter(({ chunkKey }) => hasKey(allowed!, chunkKey));
    const committed = await visibleAmong(
      db,
      modelVersion,
      candidates.map(({ embeddingId }) => embeddingId),
    );
    const hits = candidates
      .flatMap(({ chunkKey, embeddingId, distance }) => {
        const chunkId = committed.get(embeddingId);
        if (chunkId === undefined) return [];
        return [{ chunkKey, embeddingId, chunkId, score: scoreOf(entry.metric, distance, scale) }];
      })
      .sort((a, b) => b.score - a.score || (a.chunkId < b.chunkId ? -1 : 1));
    const last = hits[k - 1];
    const tied = last !== undefined && last.score === hits.at(-1)?.score && limit < k + MOST_TIED;
    if ((everywhere && rows.length < limit) || (last !== undefined && !tied)) return { hits: hits.slice(0, k), plan };
    if (last === undefined) {
      // Where the nearest partitions hold too few, the others are no farther.
      plan.fellBack ||= !everywhere;
      if (tries === MOST_TRIES) {
        const visible = await visibleKeys(db, entry, modelVersion);
        allowed = allowed === undefined ? visible : keysInBoth(allowed, visible);
        if (allowed.length === 0) return { hits: [], plan };
      }
    }
    // Where no more can be asked for, what ties with the last is in the other partitions, or nowhere.
    everywhere ||= last === undefined || limit > rowsNow;
    limit *= 4;
  }
}

/** Asks Lance, once for each part of a list of keys. */
async function ask(
  live: LiveTable,
  options: {
    vector: Float32Array;
    limit: number;
    probes: number | undefined;
    only: string | undefined;
    listed: Uint32Array | undefined;
  },
): Promise<LanceHit[]> {
  const { vector, limit, probes, only, listed } = options;
  const rows: LanceHit[] = [];
  for (const part of listed === undefined ? [undefined] : keyConditions(listed)) {
    const condition = [only, part].filter((one) => one !== undefined).join(" AND ");
    const asked = condition === "" ? { vector, limit, probes } : { vector, limit, probes, condition };
    rows.push(...(await live.nearest("search", asked)));
  }
  return rows;
}
