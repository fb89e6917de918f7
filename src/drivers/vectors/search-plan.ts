/** How a search goes about it. */
export type SearchPlan = "scan" | "walk" | "filtered-scan" | "filtered-walk";

/** What a plan is made from. */
export interface PlanInputs {
  /** Vectors in the graph. */
  linked: number;
  /** Vectors that the filters allow, or `undefined` without filters. */
  allowed: number | undefined;
  ef: number;
}

/** Allowed vectors that are compared one by one in the time of a filtered walk: measured at 50,000 × 384, DESIGN.md. */
const SCAN_AT_LEAST = 1000;
const SCAN_PER_EF = 170;

/** Chooses between comparing every allowed vector, which is exact, and walking the graph, which is faster when many are allowed. */
export function choosePlan({ linked, allowed, ef }: PlanInputs): SearchPlan {
  if (allowed === undefined) return linked === 0 ? "scan" : "walk";
  if (linked === 0 || allowed <= SCAN_AT_LEAST + SCAN_PER_EF * ef) return "filtered-scan";
  return "filtered-walk";
}

/** Distances after which a filtered walk gives way to the scan: what is allowed lies elsewhere than where the walk is. */
export function filterBudget(allowed: number, ef: number): number {
  return Math.min(allowed, Math.max(40 * ef + 300, Math.floor(allowed / 8)));
}

/** Width of a walk that nobody chose: recall@10 of 0.99 and more at 100,000 vectors. */
export function defaultEf(k: number): number {
  return Math.min(4096, Math.max(96, 2 * k));
}

/** Results that full precision puts in order: what the codes confuse lies close behind the k-th. Where the vectors must be read from
 *  the database first, only the foremost are. */
export function refineCount(k: number, inMemory = true): number {
  const wanted = Math.min(4096, Math.max(2 * k, k + 10));
  return inMemory ? wanted : Math.max(k <= 20 ? k + 10 : 0, Math.min(wanted, MOST_READ));
}

/** Vectors that are read from the database for one search: each is a page of its own. */
const MOST_READ = 32;
