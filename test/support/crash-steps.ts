/** What a process does that is going to be killed. */
export type CrashStep =
  | { kind: "write"; path: string; text: string }
  | { kind: "delete"; path: string }
  | { kind: "run"; version: string }
  | { kind: "put"; version: string }
  | { kind: "sweep" };

/** What such a process says. */
export type CrashLine = { ready: true } | { begin: CrashStep } | { done: CrashStep } | { killed: string };

/** What such a process is told. */
export interface CrashOrder {
  /** Database file, or name of the store. */
  file: string;
  /** Whether the vectors commit on their own. */
  apart: boolean;
  /** Whether they are in Lance tables, beside the database file. */
  lance?: boolean;
  seed: number;
  /** Whether it begins with an empty store. */
  first: boolean;
  /** Step at which it kills itself; null when somebody else kills it. */
  step: string | null;
  /** At which time it comes to that step. */
  occurrence: number;
}

/** Steps between which everything can break off. */
export const CRASH_STEPS: readonly string[] = [
  "before transaction",
  "before commit",
  "after commit",
  "before upsert",
  "after upsert",
  "before delete",
  "after delete",
  "before delete generation",
  "after delete generation",
];
