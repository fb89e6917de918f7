import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fillHoles } from "../../src/rpc/decode.ts";
import { Encoder } from "../../src/rpc/encoder.ts";

const cloneable = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withSparseArray: true,
  withTypedArray: true,
  maxDepth: 4,
});

/** Crosses the boundary: encode, structured clone as postMessage does, fill the holes. */
function cross(value: unknown): { value: unknown; holes: number } {
  const kept: object[] = [];
  const encoder = new Encoder((object, kind) => {
    if (kind !== "function") throw new Error(`unexpected ${kind}`);
    return { kind, id: kept.push(object) - 1 };
  });
  const message = structuredClone({ value: encoder.encode(value, []), holes: encoder.holes });
  const filled = fillHoles(message.value, message.holes, (reference) =>
    "id" in reference ? kept[reference.id] : undefined,
  );
  return { value: filled, holes: encoder.holes?.length ?? 0 };
}

describe("marshalling", () => {
  test("any structured-cloneable value arrives as structured clone makes it", () => {
    fc.assert(
      fc.property(cloneable, (value) => {
        const crossed = cross(value);
        expect(crossed.holes).toBe(0);
        expect(crossed.value).toStrictEqual(structuredClone(value));
      }),
      { numRuns: 500 },
    );
  });

  test("functions anywhere in plain data arrive in their places, the rest unchanged", () => {
    const marker = (): void => {};
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        fc.constant(marker),
        cloneable,
        fc.array(tie("tree")),
        fc.dictionary(fc.oneof(fc.string(), fc.constant("__proto__")), tie("tree"), { noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const { value: crossed } = cross(value);
        expect(replaceFunctions(crossed)).toStrictEqual(structuredClone(replaceFunctions(value)));
      }),
      { numRuns: 500 },
    );
  });
});

/** A copy with a text in place of every function, for comparison. */
function replaceFunctions(value: unknown): unknown {
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    copy.length = value.length;
    for (const key of Object.keys(value)) copy[Number(key)] = replaceFunctions(value[Number(key)]);
    return copy;
  }
  const prototype: unknown = typeof value === "object" && value !== null ? Object.getPrototypeOf(value) : undefined;
  if (prototype === Object.prototype || prototype === null) {
    return Object.fromEntries(Object.entries(value as object).map(([k, v]) => [k, replaceFunctions(v)]));
  }
  return value;
}
