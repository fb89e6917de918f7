import { StatementSync, type SQLInputValue } from "node:sqlite";

/** A statement that ran, with its values in the order of their numbers. */
export interface Ran {
  sql: string;
  values: SQLInputValue[];
}

const METHODS = ["run", "get", "all"] as const;

/** Runs `work` and returns every statement that was executed meanwhile in this thread, in order. */
export async function recorded(work: () => Promise<unknown>): Promise<Ran[]> {
  const ran: Ran[] = [];
  const originals = METHODS.map((name) => [name, StatementSync.prototype[name] as unknown] as const);
  for (const [name, original] of originals) {
    const execute = original as (...args: unknown[]) => unknown;
    const note = function (this: StatementSync, ...args: [named?: Record<string, SQLInputValue>]): unknown {
      ran.push({ sql: this.sourceSQL, values: Object.values(args[0] ?? {}) });
      return execute.apply(this, args);
    };
    Object.assign(StatementSync.prototype, { [name]: note });
  }
  try {
    await work();
  } finally {
    for (const [name, original] of originals) Object.assign(StatementSync.prototype, { [name]: original });
  }
  return ran;
}
