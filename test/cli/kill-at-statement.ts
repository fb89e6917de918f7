/** Kills its own process with SIGKILL in the midst of what it does to its database. A command imports it before its own module. */
import { DatabaseSync, StatementSync } from "node:sqlite";

/** Where a command kills itself. */
export interface KillOrder {
  /** Beginnings of SQL statements, and at which time each comes: the second is counted from the first on, and so on. */
  steps: readonly (readonly [statement: string, occurrence: number])[];
  /** Whether the last one is still executed. */
  when: "before" | "after";
}

/** Names the order in the environment of a command that imports this module before its own. */
export const KILL_ORDER = "LODESTORE_TEST_KILL";

const { steps, when } = JSON.parse(process.env[KILL_ORDER] ?? '{"steps":[],"when":"before"}') as KillOrder;
let step = 0;
let seen = 0;

/** @returns whether this is the statement of the order. */
function isDue(sql: string): boolean {
  const [statement, occurrence] = steps[step] ?? [];
  if (statement === undefined || occurrence === undefined || !sql.trimStart().startsWith(statement)) return false;
  if (++seen < occurrence) return false;
  step++;
  seen = 0;
  return step === steps.length;
}

function around<T>(sql: string, execute: () => T): T {
  const due = isDue(sql);
  if (due && when === "before") process.kill(process.pid, "SIGKILL");
  const result = execute();
  if (due) process.kill(process.pid, "SIGKILL");
  return result;
}

if (steps.length > 0) {
  const { exec } = DatabaseSync.prototype;
  DatabaseSync.prototype.exec = function (sql): void {
    around(sql, () => exec.call(this, sql));
  };
  for (const name of ["run", "get", "all"] as const) {
    const execute = StatementSync.prototype[name] as (...args: unknown[]) => unknown;
    const executeOrDie = function (this: StatementSync, ...args: unknown[]): unknown {
      return around(this.sourceSQL, () => execute.apply(this, args));
    };
    Object.assign(StatementSync.prototype, { [name]: executeOrDie });
  }
}
