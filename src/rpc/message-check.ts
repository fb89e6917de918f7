import type { WireMessage } from "./protocol.ts";

type Check = (message: Record<string, unknown>) => boolean;

const hasId: Check = (m) => typeof m["id"] === "number";
const hasVersion: Check = (m) => typeof m["version"] === "number";
const hasSession: Check = (m) => typeof m["session"] === "number";
const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;
const holesFit: Check = (m) => m["holes"] === undefined || Array.isArray(m["holes"]);

const CHECKS: ReadonlyMap<unknown, Check> = new Map<WireMessage["lode"], Check>([
  ["ready", hasVersion],
  ["hello", (m) => hasVersion(m) && hasSession(m)],
  ["opening", (m) => hasVersion(m) && hasSession(m)],
  ["welcome", (m) => hasVersion(m) && hasSession(m)],
  ["refuse", (m) => hasVersion(m) && hasSession(m) && isObject(m["error"])],
  [
    "call",
    (m) =>
      hasId(m) &&
      typeof m["target"] === "number" &&
      typeof m["method"] === "string" &&
      Array.isArray(m["args"]) &&
      holesFit(m),
  ],
  ["result", (m) => hasId(m) && holesFit(m)],
  ["failure", (m) => hasId(m) && isObject(m["error"])],
  ["abort", (m) => hasId(m) && isObject(m["reason"])],
  ["pull", (m) => hasId(m) && typeof m["count"] === "number" && m["count"] > 0],
  ["batch", (m) => hasId(m) && Array.isArray(m["items"]) && holesFit(m)],
  ["stop", hasId],
  ["stopped", hasId],
  ["release", hasId],
  ["bye", () => true],
]);

/** Returns `data` as a message of the protocol, or `undefined` where it is none: others may use the same channel. */
export function asWireMessage(data: unknown): WireMessage | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const message = data as Record<string, unknown>;
  const check = CHECKS.get(message["lode"]);
  return check?.(message) === true ? (data as WireMessage) : undefined;
}

/** The lock named in a handshake, if it is one. */
export function lockName(lock: unknown): string | undefined {
  return typeof lock === "string" ? lock : undefined;
}
