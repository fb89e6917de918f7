import { beforeAll, describe, expect, test } from "vitest";
import { Differential } from "./differential.ts";

/** The bytes that Node's tests prove, in Chromium's engine. */
let module: WebAssembly.Module;
beforeAll(async () => {
  const response = await fetch(new URL("../../wasm/hnsw.wasm", import.meta.url));
  expect(response.ok).toBe(true);
  module = await WebAssembly.compile(await response.arrayBuffer());
});

describe("The kernel agrees with the reference in this browser", () => {
  test.each(Array.from({ length: 26 }, (_, seed) => seed))("in random calls, seed %i", (seed) => {
    new Differential(module, seed).run(60);
  });

  test("where lists are full", () => {
    const differential = new Differential(module, 0, { m: 4, dimensions: 2 }, 650);
    differential.fill(600);
    differential.searches(300);
  });
});
