import { afterEach, beforeEach, describe } from "vitest";
import type { Store } from "../../src/contracts/store.ts";
import { compareCases } from "./evaluations/compare-cases.ts";
import { evaluationInputCases } from "./evaluations/input-cases.ts";
import { runCases } from "./evaluations/run-cases.ts";
import { suiteCases } from "./evaluations/suite-cases.ts";

/** What all evaluations do, seen through a store. @param open Opens an empty store for one test. */
export function evaluationsConformance(
  driver: string,
  open: () => Promise<{ store: Store; close(): Promise<void> }>,
): void {
  describe(`evaluations ${driver}`, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    const store = (): Store => opened.store;
    describe("suites", () => suiteCases(store));
    describe("runs", () => runCases(store));
    describe("comparisons", () => compareCases(store));
    describe("input", () => evaluationInputCases(store));
  });
}
