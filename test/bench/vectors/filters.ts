import type { AllowedVectors } from "../../../src/drivers/vectors/index-search.ts";
import { choosePlan, filterBudget, refineCount, type SearchPlan } from "../../../src/drivers/vectors/search-plan.ts";
import { mulberry32, type VectorSet } from "./clustered.ts";
import { leastWidth } from "./compare.ts";
import type { Emit } from "./figures.ts";
import type { LodestoreEngine } from "./our-engine.ts";
import { takeTurns } from "./rounds.ts";
import { exactNeighbours, K, recallOf } from "./truth.ts";

const SHARES = [1, 0.75, 0.5, 0.2, 0.1, 0.05, 0.01, 0.001, 0.0001];
const QUERIES = 100;

/** Filters of every width, spread at random or covering what lies near one vector, against the search without one at a recall of 0.95. */
export async function measureFilters(
  emit: Emit,
  engine: LodestoreEngine,
  set: VectorSet,
  truth: readonly Uint32Array[],
): Promise<void> {
  const count = Math.min(QUERIES, set.queryCount);
  const least = await leastWidth(engine, set, truth, 0.95);
  if (least === undefined) return;
  const { ef, recall } = least;
  const plain = async (): Promise<void> => {
    for (let q = 0; q < count; q++) await engine.find(q, { ef });
  };
  const [plainMs = Number.NaN] = await takeTurns([plain]);
  emit({ case: `no filter, ef ${ef}`, metric: "per query", value: (1000 * plainMs) / count, unit: "µs", recall });
  for (const kind of ["random", "near one vector"] as const) {
    for (const share of SHARES) {
      const labels = kind === "random" ? randomLabels(set, share) : labelsNearOne(set, share);
      if (labels.length === 0) continue;
      const filtered = new FilteredSearch(engine, set, labels, ef);
      const found: number[][] = [];
      for (let q = 0; q < count; q++) found.push(await filtered.search(q));
      const fallbacks = filtered.fallbacks === 0 ? "" : `, ${filtered.fallbacks} of ${count} fell back to the scan`;
      const searchAll = async (anew: boolean): Promise<void> => {
        for (let q = 0; q < count; q++) await filtered.search(q, anew);
      };
      const [before = Number.NaN, kept = Number.NaN, anew = Number.NaN] = await takeTurns([
        plain,
        () => searchAll(false),
        () => searchAll(true),
      ]);
      const figure = {
        case: `filter ${kind}, ${100 * share} %, ${filtered.plan}${fallbacks}`,
        unit: "µs",
        recall: recallOf(exactNeighbours(set, count, labels), found),
        baseline: (1000 * before) / count,
      };
      emit({ ...figure, metric: "per query", value: (1000 * kept) / count, ratio: kept / before });
      emit({ ...figure, metric: "per query, filter given anew", value: (1000 * anew) / count, ratio: anew / before });
    }
  }
}

/** A filtered search as `SqlVectorStore` does it: the planner's plan, and the exact scan where a walk gives up or comes back short. */
class FilteredSearch {
  /** Searches so far that fell back. */
  fallbacks = 0;
  readonly plan: SearchPlan;
  readonly #engine: LodestoreEngine;
  readonly #set: VectorSet;
  readonly #ef: number;
  readonly #allowed: AllowedVectors;

  constructor(engine: LodestoreEngine, set: VectorSet, labels: Uint32Array, ef: number) {
    this.#engine = engine;
    this.#set = set;
    this.#ef = ef;
    this.#allowed = { labels };
    this.plan = choosePlan({ linked: set.count, allowed: labels.length, ef });
  }

  /** @param anew Hands the filter over once more, as a search with another filter would. */
  async search(q: number, anew = false): Promise<number[]> {
    const { dimensions, queries } = this.#set;
    const query = queries.subarray(q * dimensions, (q + 1) * dimensions);
    const { labels } = this.#allowed;
    const allowed = anew ? { labels } : this.#allowed;
    const run = (plan: SearchPlan): ReturnType<LodestoreEngine["index"]["search"]> =>
      this.#engine.index.search(query, {
        k: K,
        refine: refineCount(K),
        ef: plan.endsWith("scan") ? refineCount(K) : this.#ef,
        plan,
        allowed,
        budget: filterBudget(labels.length, this.#ef),
      });
    let result = await run(this.plan);
    if (this.plan === "filtered-walk" && (result.gaveUp || result.hits.length < Math.min(K, labels.length))) {
      this.fallbacks++;
      result = await run("filtered-scan");
    }
    return result.hits.map(({ label }) => label);
  }
}

function randomLabels(set: VectorSet, share: number): Uint32Array {
  const random = mulberry32(7);
  return Uint32Array.from({ length: set.count }, (_, i) => i).filter(() => random() < share);
}

/** The vectors nearest to one of them: a filter that goes with what vectors mean. */
function labelsNearOne(set: VectorSet, share: number): Uint32Array {
  const { dimensions, base, count } = set;
  const scores = Float32Array.from({ length: count }, (_, i) => {
    let score = 0;
    for (let d = 0; d < dimensions; d++) score += (base[d] as number) * (base[i * dimensions + d] as number);
    return score;
  });
  const order = Uint32Array.from({ length: count }, (_, i) => i).sort(
    (a, b) => (scores[b] as number) - (scores[a] as number),
  );
  return order.slice(0, Math.round(share * count));
}
