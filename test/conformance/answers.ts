import { afterEach, beforeEach, describe } from "vitest";
import type { Store } from "../../src/contracts/store.ts";
import { answerInputCases } from "./answers/input-cases.ts";
import { answerListCases } from "./answers/list-cases.ts";
import { answerRecordCases } from "./answers/record-cases.ts";

/** What answers are seen through: with the documents that they cite and the conversations that they belong to. */
export type AnsweringStore = Pick<Store, "answers" | "chat" | "documents">;

/** What all answers do, seen through their contract alone. @param open Opens a store without any, for one test. */
export function answersConformance(
  driver: string,
  open: () => Promise<{ store: AnsweringStore; close(): Promise<void> }>,
): void {
  describe(`answers ${driver}`, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    const store = (): AnsweringStore => opened.store;
    describe("record", () => answerRecordCases(store));
    describe("list", () => answerListCases(store));
    describe("input", () => answerInputCases(store));
  });
}
