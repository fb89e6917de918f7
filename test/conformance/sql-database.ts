import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { describe, it } from "vitest";
import { functionTests } from "./sql/functions.ts";
import { imageTests } from "./sql/images.ts";
import { iterateTests } from "./sql/iterate.ts";
import { lifecycleTests } from "./sql/lifecycle.ts";
import { parameterTests } from "./sql/parameters.ts";
import { statementTests } from "./sql/statements.ts";
import { transactionEdgeTests } from "./sql/transaction-edges.ts";
import { transactionTests } from "./sql/transactions.ts";
import { valueTests } from "./sql/values.ts";

/** A database for one test alone. */
export interface SqlDatabaseUnderTest {
  /** New and empty, with `suiteFunctions` registered. */
  db: SqlDatabase;
  /** Closes it and removes what it left. The test may have closed it before. */
  cleanup(): Promise<void>;
}

/** Declares one test; `body` gets a fresh database. */
export type SqlTest = (sentence: string, body: (db: SqlDatabase) => Promise<void>) => void;

/** The conformance suite of `SqlDatabase`: everything the contract promises, through the contract alone.
 *  @param name What is under test, `sql-node` or `sql-opfs over rpc`. */
export function testSqlDatabase(name: string, open: () => Promise<SqlDatabaseUnderTest>): void {
  const test: SqlTest = (sentence, body) => {
    it(sentence, async () => {
      const { db, cleanup } = await open();
      try {
        await body(db);
      } finally {
        await cleanup();
      }
    });
  };
  describe(`SqlDatabase: ${name}`, () => {
    describe("statements", () => statementTests(test));
    describe("parameters", () => parameterTests(test));
    describe("values", () => valueTests(test));
    describe("functions", () => functionTests(test));
    describe("iterate", () => iterateTests(test));
    describe("transactions", () => transactionTests(test));
    describe("transactions that go wrong", () => transactionEdgeTests(test));
    describe("images", () => imageTests(test));
    describe("lifecycle", () => lifecycleTests(test));
  });
}
