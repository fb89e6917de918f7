import { StorageError } from "../errors.ts";
import type { WireError } from "./protocol.ts";

/** Causes kept below an error; what is deeper becomes text. */
const MAX_CAUSES = 8;

const ERROR_CLASSES: ReadonlyMap<string, ErrorConstructor> = new Map<string, ErrorConstructor>([
  ["TypeError", TypeError],
  ["RangeError", RangeError],
  ["SyntaxError", SyntaxError],
  ["ReferenceError", ReferenceError],
  ["EvalError", EvalError],
  ["URIError", URIError],
]);

function asText(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

function toWireValue(value: unknown): WireError {
  try {
    return { type: "value", value: structuredClone(value) };
  } catch {
    return { type: "value", value: asText(value) };
  }
}

/** Returns a structured-cloneable picture of anything thrown: errors with name, message, stack and up to
 *  8 causes, a StorageError also with code, capability, operation and retryable. Other values are kept as they are,
 *  or as text where they cannot be cloned. */
export function toWireError(error: unknown, depth = 0): WireError {
  if (!(error instanceof Error)) return toWireValue(error);
  const base = {
    name: asText(error.name),
    message: asText(error.message),
    stack: typeof error.stack === "string" ? error.stack : undefined,
  };
  const wire: WireError =
    error instanceof StorageError
      ? {
          type: "storage",
          ...base,
          code: error.code,
          capability: error.capability,
          operation: error.operation,
          retryable: error.retryable,
        }
      : { type: error instanceof DOMException ? "dom" : "error", ...base };
  if (error.cause !== undefined) {
    wire.cause =
      depth < MAX_CAUSES ? toWireError(error.cause, depth + 1) : { type: "value", value: asText(error.cause) };
  }
  return wire;
}

function bare(wire: Exclude<WireError, { type: "value" }>, cause: unknown): Error {
  if (wire.type !== "storage") {
    if (wire.type === "dom") return new DOMException(wire.message, wire.name);
    return new (ERROR_CLASSES.get(wire.name) ?? Error)(wire.message);
  }
  const { code, message, capability, operation } = wire;
  const error = new StorageError(code, message, { capability, operation, cause });
  if (error.retryable !== wire.retryable) hide(error, "retryable", wire.retryable);
  return error;
}

function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, writable: true });
}

/** Returns what was thrown: a real StorageError, a built-in error of the same name, a DOMException, or the value. */
export function fromWireError(wire: WireError): unknown {
  if (wire.type === "value") return wire.value;
  const cause = wire.cause === undefined ? undefined : fromWireError(wire.cause);
  const error = bare(wire, cause);
  if (error.name !== wire.name) hide(error, "name", wire.name);
  if (wire.stack !== undefined) hide(error, "stack", wire.stack);
  if (wire.type !== "storage" && wire.cause !== undefined) hide(error, "cause", cause);
  return error;
}
