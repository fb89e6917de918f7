import { expect, test } from "vitest";
import { StorageError } from "../../src/errors.ts";
import { endedByClosing } from "../../src/rpc/ended-by-closing.ts";

const LOST = new StorageError("OWNER_LOST", "the thread is gone", { capability: "rpc", operation: "next" });
const CLOSED = new StorageError("CLOSED", "the store was closed", { capability: "store", operation: "next" });
const BROKEN = new StorageError("CORRUPT", "the log of changes is damaged", {
  capability: "store",
  operation: "next",
});

/** Items that fail when the first is asked for. */
function failing(error: Error): AsyncIterableIterator<number> {
  return {
    next: async () => {
      throw error;
    },
    return: async () => {
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

test.each([LOST, CLOSED])("items end where closing took their thread or ended their call: $code", async (error) => {
  const items = endedByClosing(failing(error), () => true);
  expect(await items.next()).toEqual({ done: true, value: undefined });
  expect(await items.return?.()).toEqual({ done: true, value: undefined });
});

test.each([LOST, CLOSED])("the same is a failure while the store is open: $code", async (error) => {
  await expect(endedByClosing(failing(error), () => false).next()).rejects.toBe(error);
});

test("what is wrong with the items stays so when the store is closed", async () => {
  await expect(endedByClosing(failing(BROKEN), () => true).next()).rejects.toBe(BROKEN);
});
