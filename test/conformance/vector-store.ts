import { afterEach, beforeEach, describe } from "vitest";
import type { SqlDatabase, SqlExecutor } from "../../src/contracts/sql.ts";
import type { VectorStore, VectorTableWriter } from "../../src/contracts/vectors.ts";
import { vectorBatchCases } from "./vector-store/batch-cases.ts";
import { vectorClosingCases } from "./vector-store/closing-cases.ts";
import { vectorExamineCases } from "./vector-store/examine-cases.ts";
import { vectorFilterCases } from "./vector-store/filter-cases.ts";
import { vectorIndexCases } from "./vector-store/index-cases.ts";
import { vectorInputCases } from "./vector-store/input-cases.ts";
import { vectorOrderCases } from "./vector-store/order-cases.ts";
import { vectorSearchCases } from "./vector-store/search-cases.ts";
import { vectorSweepCases } from "./vector-store/sweep-cases.ts";
import { vectorTableCases } from "./vector-store/table-cases.ts";
import { vectorTransactionCases } from "./vector-store/transaction-cases.ts";
import { vectorWritingCases } from "./vector-store/writing-cases.ts";

/** A vector store that is opened for one test, beside the rows its vectors belong to. */
export interface OpenVectorStore {
  vectors: VectorStore;
  /** The database, migrated and without documents. */
  db: SqlDatabase;
  /** Writes inside a transaction of the database; absent where the store has none. */
  over?: (executor: SqlExecutor) => VectorTableWriter;
  close(): Promise<void>;
}

/** What a test asks for. */
export interface VectorStoreUnderTest {
  /** What is open for the running test. */
  opened: () => OpenVectorStore;
  /** Least recall of a search: 1 where all vectors are compared. */
  recall: number;
}

/** What every vector store does, seen through its contract alone.
 *  @param recall Least recall of a search on a few hundred vectors: 1 for an exact store.
 *  @param open Opens an empty one. */
export function vectorStoreConformance(driver: string, recall: number, open: () => Promise<OpenVectorStore>): void {
  describe(`vector store ${driver}`, () => {
    let current: OpenVectorStore;
    beforeEach(async () => {
      current = await open();
    });
    afterEach(() => current.close());

    const subject: VectorStoreUnderTest = { opened: () => current, recall };
    describe("tables", () => vectorTableCases(subject));
    describe("writing", () => vectorWritingCases(subject));
    describe("transactions", () => vectorTransactionCases(subject));
    describe("searching", () => vectorSearchCases(subject));
    describe("order", () => vectorOrderCases(subject));
    describe("filters", () => vectorFilterCases(subject));
    describe("batches", () => vectorBatchCases(subject));
    describe("sweeping", () => vectorSweepCases(subject));
    describe("the index", () => vectorIndexCases(subject));
    describe("looking for damage", () => vectorExamineCases(subject));
    describe("input", () => vectorInputCases(subject));
    describe("closing", () => vectorClosingCases(subject));
  });
}
