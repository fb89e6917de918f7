import type { CheckedVectorQuery } from "../../contracts/check-vectors.ts";
import type { VectorPlan } from "../../contracts/vectors.ts";
import type { AllowedVectors, IndexResult, IndexSearchOptions } from "./index-search.ts";
import type { IndexHit } from "./kernel-exchange.ts";
import type { LiveIndex } from "./live-index.ts";
import { choosePlan, defaultEf, filterBudget, refineCount, type SearchPlan } from "./search-plan.ts";

/** What an index found, and how. */
export interface Found {
  hits: IndexHit[];
  plan: VectorPlan;
}

/** How one query goes about it, in the words of the index. */
interface Asked {
  k: number;
  ef: number;
  allowed: AllowedVectors | undefined;
}

/** Finds the nearest that are allowed: k of them wherever there are k. */
export async function find(
  live: LiveIndex,
  vector: Float32Array,
  query: CheckedVectorQuery,
  allowed: AllowedVectors | undefined,
): Promise<Found> {
  const asked = ask(query, allowed);
  const plan = planOf(live, asked);
  const result = await live.search(vector, optionsOf(live, asked, plan));
  if (plan.endsWith("scan") || !(result.gaveUp || isShort(live, asked, result.hits))) {
    return { hits: result.hits, plan: describe(live, asked, plan, result.evaluations, false) };
  }
  const scan = allowed === undefined ? "scan" : "filtered-scan";
  const scanned = await live.search(vector, optionsOf(live, asked, scan));
  const evaluations = result.evaluations + scanned.evaluations;
  return { hits: scanned.hits, plan: describe(live, asked, scan, evaluations, true) };
}

/** Whether a walk found fewer than there are: the graph has parts that it did not reach. */
function isShort(live: LiveIndex, { k, allowed }: Asked, hits: readonly IndexHit[]): boolean {
  return hits.length < Math.min(k, allowed?.labels.length ?? live.index!.count);
}

/** Finds for many vectors: in one call of the kernel where nothing is filtered and all vectors are in memory. */
export async function findEach(
  live: LiveIndex,
  vectors: readonly Float32Array[],
  query: CheckedVectorQuery,
  allowed: AllowedVectors | undefined,
): Promise<Found[]> {
  const index = live.index!;
  const asked = ask(query, allowed);
  const plan = planOf(live, asked);
  if (allowed === undefined && index.complete) {
    const before = index.evaluations;
    const answers = index.searchBatch(joined(vectors, index.options.dimensions), optionsOf(live, asked, plan));
    // The kernel counts the batch as a whole.
    const evaluations = Math.round(((index.evaluations - before) >>> 0) / Math.max(1, vectors.length));
    const each: Found[] = [];
    for (const [at, hits] of answers.entries()) {
      const whole = plan === "scan" || !isShort(live, asked, hits);
      each.push(
        whole
          ? { hits, plan: describe(live, asked, plan, evaluations, false) }
          : await find(live, vectors[at] as Float32Array, query, allowed),
      );
    }
    return each;
  }
  const found: Found[] = [];
  for (const vector of vectors) found.push(await find(live, vector, query, allowed));
  return found;
}

function ask(query: CheckedVectorQuery, allowed: AllowedVectors | undefined): Asked {
  return { k: query.k, ef: Math.max(query.ef ?? defaultEf(query.k), query.k), allowed };
}

function planOf(live: LiveIndex, { ef, allowed }: Asked): SearchPlan {
  const index = live.index!;
  return choosePlan({ linked: index.count - index.pendingCount, allowed: allowed?.labels.length, ef });
}

function optionsOf(live: LiveIndex, { k, ef, allowed }: Asked, plan: SearchPlan): IndexSearchOptions {
  const refine = refineCount(k, live.index!.complete);
  return {
    k,
    ef: plan.endsWith("scan") ? Math.max(k, refine) : ef,
    refine,
    plan,
    ...(allowed === undefined ? {} : { allowed, budget: filterBudget(allowed.labels.length, ef) }),
  };
}

function describe(
  live: LiveIndex,
  { ef, allowed }: Asked,
  plan: SearchPlan,
  evaluations: IndexResult["evaluations"],
  fellBack: boolean,
): VectorPlan {
  const index = live.index!;
  return {
    kind: plan.endsWith("scan") ? "scan" : "walk",
    allowed: allowed?.labels.length ?? index.count,
    total: index.count,
    unlinked: index.pendingCount,
    ef,
    evaluations,
    fellBack,
  };
}

function joined(vectors: readonly Float32Array[], dimensions: number): Float32Array {
  const rows = new Float32Array(vectors.length * dimensions);
  for (const [at, vector] of vectors.entries()) rows.set(vector, at * dimensions);
  return rows;
}
