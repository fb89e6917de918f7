import type { StorageError, StorageErrorCode } from "../errors.ts";
import { TooDeepError } from "./encoder.ts";
import { rpcError } from "./rpc-error.ts";
import { kindOf } from "./value-kind.ts";

/** Returns the error for a message that could not be posted, naming the method and what in it cannot be cloned.
 *  @param parts what was to be sent, each with its name in the message. */
export function unsendable(
  code: StorageErrorCode,
  operation: string,
  parts: readonly [name: string, value: unknown][],
  cause: unknown,
): StorageError {
  if (cause instanceof TooDeepError) {
    const [name] = parts[Number(cause.at ?? 0)] ?? parts[0] ?? ["it"];
    return rpcError(code, operation, `${operation}: ${name} cannot be sent: ${cause.message}`, cause);
  }
  for (const [name, value] of parts) {
    const found = findUncloneable(value, name, new Set());
    if (found !== undefined) return rpcError(code, operation, `${operation}: ${found}`, cause);
  }
  return rpcError(code, operation, `${operation}: it cannot be sent: ${reasonOf(cause)}`, cause);
}

/** `argument 1.filters.x cannot be sent: …`, or `undefined` where the value can be cloned. */
function findUncloneable(value: unknown, place: string, seen: Set<object>): string | undefined {
  let reason: string;
  try {
    structuredClone(value);
    return undefined;
  } catch (error) {
    reason = reasonOf(error);
  }
  if (typeof value === "object" && value !== null && kindOf(value) === "plain") {
    if (seen.has(value)) return undefined;
    seen.add(value);
    for (const [key, item] of Object.entries(value)) {
      const at = Array.isArray(value) ? `${place}[${key}]` : `${place}.${key}`;
      const found = findUncloneable(item, at, seen);
      if (found !== undefined) return found;
    }
  }
  return `${place} cannot be sent: ${reason}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
