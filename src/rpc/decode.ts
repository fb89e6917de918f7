import type { WireHole, WireReference } from "./protocol.ts";

/** Makes what a reference stands for. */
export type ResolveReference = (reference: WireReference) => unknown;

/** Fills the holes of a message's value and returns it. The value itself is a hole where `at` is empty.
 *  Repeated references give the same object.
 *  @throws TypeError when a hole is not in the value: the message is damaged. */
export function fillHoles(value: unknown, holes: readonly WireHole[] | undefined, resolve: ResolveReference): unknown {
  if (holes === undefined) return value;
  const resolved = new Map<number, unknown>();
  for (const { at, reference } of holes) {
    let filling: unknown;
    if (reference.kind === "error" || reference.kind === "yours") filling = resolve(reference);
    else {
      if (!resolved.has(reference.id)) resolved.set(reference.id, resolve(reference));
      filling = resolved.get(reference.id);
    }
    const last = at.at(-1);
    if (last === undefined) value = filling;
    else {
      Object.defineProperty(containerAt(value, at), last, {
        value: filling,
        configurable: true,
        enumerable: true,
        writable: true,
      });
    }
  }
  return value;
}

function containerAt(value: unknown, at: readonly (string | number)[]): object {
  let container = value;
  for (let i = 0; i < at.length - 1; i++) {
    container = Object.hasOwn(Object(container) as object, at[i]!)
      ? (container as Record<string | number, unknown>)[at[i]!]
      : undefined;
  }
  if (typeof container !== "object" || container === null)
    throw new TypeError(`there is no place ${at.join(".")} in the message`);
  return container;
}
