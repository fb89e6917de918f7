import { expect } from "vitest";
import type { SqlTransaction } from "../../../src/contracts/sql.ts";
import type { SqlTest } from "../sql-database.ts";
import { fails } from "./fails.ts";

export function transactionEdgeTests(test: SqlTest): void {
  test("a transaction that has ended throws TRANSACTION", async (db) => {
    let committed: SqlTransaction | undefined;
    let rolledBack: SqlTransaction | undefined;
    await db.transaction(async (tx) => void (committed = tx));
    await db
      .transaction(async (tx) => {
        rolledBack = tx;
        throw new Error("undo");
      })
      .catch(() => undefined);
    for (const tx of [committed, rolledBack]) {
      if (tx === undefined) throw new Error("the body did not run");
      await fails("TRANSACTION", tx.run("CREATE TABLE t (v)"));
      await fails("TRANSACTION", tx.all("SELECT 1"));
      await fails("TRANSACTION", tx.get("SELECT 1"));
      await fails("TRANSACTION", tx.runMany("SELECT $1", [[1]]));
      await fails("TRANSACTION", tx.iterate("SELECT 1").next());
      await fails(
        "TRANSACTION",
        tx.transaction(async () => 1),
      );
    }
    expect(await db.all("SELECT name FROM sqlite_schema")).toEqual([]);
  });

  test("a savepoint that has ended throws TRANSACTION while its parent goes on", async (db) => {
    await db.exec("CREATE TABLE t (v)");
    await db.transaction(async (tx) => {
      let savepoint: SqlTransaction | undefined;
      await tx.transaction(async (inner) => void (savepoint = inner));
      if (savepoint === undefined) throw new Error("the body did not run");
      await fails("TRANSACTION", savepoint.run("INSERT INTO t VALUES (1)"));
      await tx.run("INSERT INTO t VALUES (2)");
    });
    expect(await db.all("SELECT v FROM t")).toEqual([{ v: 2 }]);
  });

  test("transactions are not opened or ended by SQL", async (db) => {
    for (const sql of ["BEGIN", "begin immediate", "COMMIT", "END", "ROLLBACK", "SAVEPOINT a", "RELEASE a"]) {
      await fails("INVALID_INPUT", db.run(sql));
      await db.transaction(async (tx) => void (await fails("INVALID_INPUT", tx.run(sql))));
    }
  });

  test("a commit that fails is rolled back, and the database goes on", async (db) => {
    await db.exec(`CREATE TABLE p (id INTEGER PRIMARY KEY);
      CREATE TABLE c (p REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)`);
    await fails(
      "CONFLICT",
      db.transaction((tx) => tx.run("INSERT INTO c VALUES (1)")),
    );
    expect(await db.all("SELECT * FROM c")).toEqual([]);
    await db.transaction(async (tx) => {
      await tx.run("INSERT INTO c VALUES (1)");
      await tx.run("INSERT INTO p VALUES (1)");
    });
    expect(await db.all("SELECT * FROM c")).toEqual([{ p: 1 }]);
  });

  test("a transaction that SQLite itself rolls back takes nothing more and rejects", async (db) => {
    await db.exec("CREATE TABLE t (v UNIQUE)");
    let afterwards: Promise<unknown> | undefined;
    const lost = db.transaction(async (tx) => {
      await tx.run("INSERT INTO t VALUES (1)");
      await fails("CONFLICT", tx.run("INSERT OR ROLLBACK INTO t VALUES (1)"));
      afterwards = fails("TRANSACTION", tx.run("INSERT INTO t VALUES (2)"));
      await afterwards;
      await fails(
        "TRANSACTION",
        tx.transaction(async (inner) => inner.run("INSERT INTO t VALUES (3)")),
      );
    });
    const error = await fails("TRANSACTION", lost);
    expect(error.cause).toMatchObject({ code: "CONFLICT" });
    expect(afterwards).toBeDefined();
    expect(await db.all("SELECT v FROM t")).toEqual([]);
    await db.transaction((tx) => tx.run("INSERT INTO t VALUES (4)"));
    expect(await db.all("SELECT v FROM t")).toEqual([{ v: 4 }]);
  });

  test("SQLite's own rollback inside a savepoint ends the whole transaction", async (db) => {
    await db.exec("CREATE TABLE t (v UNIQUE)");
    const lost = db.transaction(async (tx) => {
      await tx.run("INSERT INTO t VALUES (1)");
      await tx.transaction((inner) => inner.run("INSERT OR ROLLBACK INTO t VALUES (1)")).catch(() => undefined);
      await fails("TRANSACTION", tx.run("INSERT INTO t VALUES (2)"));
    });
    await fails("TRANSACTION", lost);
    expect(await db.all("SELECT v FROM t")).toEqual([]);
  });

  test("a full disk is QUOTA_EXCEEDED, undoes the transaction and leaves the database usable", async (db) => {
    await db.exec("CREATE TABLE t (v)");
    await db.run("INSERT INTO t VALUES ('kept')");
    const pages = await db.get<{ page_count: number }>("PRAGMA page_count");
    await db.run(`PRAGMA max_page_count = ${(pages?.page_count ?? 0) + 4}`);
    const bulk = "INSERT INTO t SELECT randomblob(100000) FROM (VALUES (1), (2), (3), (4), (5))";
    await fails("QUOTA_EXCEEDED", db.run(bulk));
    await fails(
      "QUOTA_EXCEEDED",
      db.transaction((tx) => tx.run(bulk)),
    );
    await fails("QUOTA_EXCEEDED", db.runMany("INSERT INTO t VALUES ($1)", [["small"], ["x".repeat(900_000)]]));
    await db.run("PRAGMA max_page_count = 1000000");
    expect(await db.all("SELECT v FROM t")).toEqual([{ v: "kept" }]);
    await db.transaction((tx) => tx.run(bulk));
    expect(await db.get("SELECT count(*) AS n FROM t")).toEqual({ n: 6 });
    expect(await db.get("PRAGMA integrity_check")).toEqual({ integrity_check: "ok" });
  });
}
