import { expect, expectTypeOf, test } from "vitest";
import type { BlobStore } from "../../src/contracts/blobs.ts";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { Store } from "../../src/contracts/store.ts";
import type { Remote } from "../../src/rpc/remote.ts";

test("a remote of an asynchronous contract is that contract", () => {
  expectTypeOf<Remote<Store>>().toExtend<Store>();
  expectTypeOf<Remote<SqlDatabase>>().toExtend<SqlDatabase>();
  expectTypeOf<Remote<BlobStore>>().toExtend<BlobStore>();
  expect(true).toBe(true);
});

test("other methods become asynchronous and data is not there", () => {
  interface Mixed {
    readonly id: string;
    add(a: number, b: number): number;
    walk(): Generator<string>;
    inner: { now(): Date };
  }
  expectTypeOf<Remote<Mixed>["add"]>().toEqualTypeOf<(a: number, b: number) => Promise<number>>();
  expectTypeOf<Remote<Mixed>["walk"]>().returns.toEqualTypeOf<AsyncIterableIterator<string>>();
  expectTypeOf<Remote<Mixed>["inner"]["now"]>().returns.toEqualTypeOf<Promise<Date>>();
  expectTypeOf<keyof Remote<Mixed>>().toEqualTypeOf<"add" | "walk" | "inner">();
  expect(true).toBe(true);
});
