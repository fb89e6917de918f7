import { StorageError } from "../errors.ts";
import type { SqlParams, SqlValue } from "./sql.ts";

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const TAKES = "null, a number other than NaN, a bigint of 64 bits, a string or a Uint8Array";

/** Whether SQL can hold `value`. */
export function isSqlValue(value: unknown): value is SqlValue {
  switch (typeof value) {
    case "string":
      return true;
    case "number":
      return value === value;
    case "bigint":
      return value >= INT64_MIN && value <= INT64_MAX;
    default:
      return value === null || value instanceof Uint8Array;
  }
}

/** Checks the parameters of one execution: as many as the statement takes, each a value SQL can hold.
 *  @throws StorageError INVALID_INPUT, naming the count or the position (`$2`). */
export function checkSqlParams(params: SqlParams, count: number, operation: string): void {
  if (!Array.isArray(params)) refuse(operation, `params must be an array, got ${describe(params)}`);
  if (params.length !== count) {
    refuse(operation, `the statement takes ${count} parameter${count === 1 ? "" : "s"}, got ${params.length}`);
  }
  for (let i = 0; i < count; i++) {
    if (!isSqlValue(params[i])) refuse(operation, `$${i + 1} must be ${TAKES}; got ${describe(params[i])}`);
  }
}

/** Names a value for an error message, without its contents. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "number") return String(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object") return typeof value;
  return value.constructor?.name ?? "object";
}

function refuse(operation: string, message: string): never {
  throw new StorageError("INVALID_INPUT", message, { capability: "sql", operation });
}
