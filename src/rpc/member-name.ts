/** How `[Symbol.asyncDispose]` is written in a method path. */
export const ASYNC_DISPOSE = "@@asyncDispose";

/** Names that are never members of a remote object. */
const NEVER: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  "then",
  "prototype",
  "toJSON",
]);

/** Whether a remote object can have a member of this name. */
export function isMemberName(name: string): boolean {
  return name !== "" && !name.includes(".") && !NEVER.has(name);
}

/** The name in a method path for a property key, or `undefined` where a remote object has no such member. */
export function memberName(key: string | symbol): string | undefined {
  if (typeof key === "string") return isMemberName(key) ? key : undefined;
  return key === Symbol.asyncDispose ? ASYNC_DISPOSE : undefined;
}
