import { originOf } from "./remote-object.ts";
import { ASYNC_DISPOSE, isMemberName } from "./member-name.ts";

/** A member and the object it belongs to. */
export interface FoundMember {
  self: object;
  member: unknown;
}

/** Finds the member at a dotted path: every step an object's own or its class's, and not of Object or Function.
 *  Proxies of another connection have every member. */
export function findMember(root: object, path: string): FoundMember | undefined {
  let self = root;
  const names = path.split(".");
  for (const [step, name] of names.entries()) {
    const key = name === ASYNC_DISPOSE ? Symbol.asyncDispose : name;
    if (!isMemberName(name) || !hasMember(self, key)) return undefined;
    const member = (self as Record<string | symbol, unknown>)[key];
    if (step === names.length - 1) return { self, member };
    if (!isObject(member)) return undefined;
    self = member;
  }
  return undefined;
}

function isObject(value: unknown): value is object {
  if (typeof value === "function") return originOf(value) !== undefined;
  return typeof value === "object" && value !== null;
}

function hasMember(object: object, key: string | symbol): boolean {
  if (originOf(object) !== undefined) return true;
  for (let o: object | null = object; o !== null; o = Object.getPrototypeOf(o) as object | null) {
    if (Object.getPrototypeOf(o) === null && o !== object) return false;
    if (Object.hasOwn(o, key)) return true;
  }
  return false;
}
