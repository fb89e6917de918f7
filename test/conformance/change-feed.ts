import { afterEach, beforeEach, describe } from "vitest";
import type { Store } from "../../src/contracts/store.ts";
import { changeCases } from "./change-feed/change-cases.ts";
import { subscriptionCases } from "./change-feed/subscription-cases.ts";

/** A store that is opened for one test. */
export interface OpenFeed {
  store: Store;
  close(): Promise<void>;
}

/** What the change feed of every store does, seen through its contract alone. @param open Opens an empty store. */
export function changeFeedConformance(driver: string, open: () => Promise<OpenFeed>): void {
  describe(`change feed ${driver}`, () => {
    let opened: OpenFeed;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    const store = (): Store => opened.store;
    describe("changes", () => changeCases(store));
    describe("subscriptions", () => subscriptionCases(store));
  });
}
