import type { SqlFunctions } from "../../src/contracts/sql.ts";

/** The SQL functions that every database under the suite has registered. Workers import them from here. */
export const suiteFunctions: SqlFunctions = {
  suite_reverse: (text) => (typeof text === "string" ? text.split("").reverse().join("") : (text ?? null)),
  suite_same: (value) => value ?? null,
  suite_count: (...args) => args.length,
  suite_kinds: (...args) => args.map((arg) => (arg instanceof Uint8Array ? "bytes" : typeof arg)).join(" "),
  suite_fail: (message) => {
    throw new RangeError(String(message));
  },
  suite_wrong: () => Number.NaN,
};
