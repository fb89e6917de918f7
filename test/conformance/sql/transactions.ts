import { expect } from "vitest";
import type { SqlDatabase, SqlExecutor } from "../../../src/contracts/sql.ts";
import type { SqlTest } from "../sql-database.ts";
import { fails } from "./fails.ts";
import { gate } from "./gate.ts";

const table = (db: SqlDatabase): Promise<void> => db.exec("CREATE TABLE t (v)");
const add = (on: SqlExecutor, v: string | number): Promise<unknown> => on.run("INSERT INTO t VALUES ($1)", [v]);

async function values(on: SqlExecutor): Promise<unknown[]> {
  return (await on.all<{ v: unknown }>("SELECT v FROM t ORDER BY rowid")).map(({ v }) => v);
}

export function transactionTests(test: SqlTest): void {
  test("a body that resolves is committed and its value returned", async (db) => {
    await table(db);
    const result = await db.transaction(async (tx) => {
      await add(tx, 1);
      await add(tx, 2);
      return (await values(tx)).length;
    });
    expect(result).toBe(2);
    expect(await values(db)).toEqual([1, 2]);
  });

  test("a body that rejects is rolled back and rejects with its error", async (db) => {
    await table(db);
    const failed = db.transaction(async (tx) => {
      await add(tx, 1);
      await tx.run("CREATE TABLE u (v)");
      throw new RangeError("no more");
    });
    await expect(failed).rejects.toMatchObject({ name: "RangeError", message: "no more" });
    expect(await db.all("SELECT name FROM sqlite_schema")).toEqual([{ name: "t" }]);
    expect(await values(db)).toEqual([]);
  });

  test("statements on the database wait for the running transaction", async (db) => {
    await table(db);
    const { opened, open } = gate();
    const transaction = db.transaction(async (tx) => {
      await add(tx, "first");
      await opened;
      await add(tx, "second");
    });
    const outside = [add(db, "third"), values(db), db.get("SELECT count(*) AS n FROM t")] as const;
    open();
    await transaction;
    expect(await outside[1]).toEqual(["first", "second", "third"]);
    expect(await outside[2]).toEqual({ n: 3 });
  });

  test("transactions run one after the other, in the order they were opened", async (db) => {
    await table(db);
    const body = async (name: string): Promise<void> => {
      await db.transaction(async (tx) => {
        await add(tx, `${name} begins`);
        await tx.get("SELECT 1");
        await add(tx, `${name} ends`);
      });
    };
    await Promise.all([body("a"), body("b"), body("c")]);
    expect(await values(db)).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  });

  test("a transaction after a failed one starts clean", async (db) => {
    await table(db);
    const failing = db.transaction(async (tx) => {
      await add(tx, "lost");
      throw new Error("undo");
    });
    const following = db.transaction(async (tx) => {
      await add(tx, "kept");
      return values(tx);
    });
    await expect(failing).rejects.toThrow("undo");
    expect(await following).toEqual(["kept"]);
  });

  test("a nested transaction that rejects undoes only itself", async (db) => {
    await table(db);
    await db.transaction(async (tx) => {
      await add(tx, "outer");
      const inner = tx.transaction(async (savepoint) => {
        await add(savepoint, "inner");
        await savepoint.transaction((deeper) => add(deeper, "deeper"));
        throw new Error("inner failed");
      });
      await expect(inner).rejects.toThrow("inner failed");
      await tx.transaction((savepoint) => add(savepoint, "inner again"));
    });
    expect(await values(db)).toEqual(["outer", "inner again"]);
  });

  test("an outer transaction that rejects undoes its committed inner ones", async (db) => {
    await table(db);
    const outer = db.transaction(async (tx) => {
      await tx.transaction((savepoint) => add(savepoint, "inner"));
      throw new Error("outer failed");
    });
    await expect(outer).rejects.toThrow("outer failed");
    expect(await values(db)).toEqual([]);
  });

  test("sibling savepoints are queued: one that fails takes nothing of the other with it", async (db) => {
    await table(db);
    await db.transaction(async (tx) => {
      const { opened, open } = gate();
      const first = tx.transaction(async (savepoint) => {
        await add(savepoint, "first");
        await opened;
        throw new Error("first failed");
      });
      const second = tx.transaction((savepoint) => add(savepoint, "second"));
      const between = add(tx, "third");
      open();
      await expect(first).rejects.toThrow("first failed");
      await second;
      await between;
    });
    expect(await values(db)).toEqual(["second", "third"]);
  });

  test("runMany inside a transaction is undone alone", async (db) => {
    await db.exec("CREATE TABLE t (v UNIQUE)");
    await db.transaction(async (tx) => {
      await add(tx, 1);
      await fails("CONFLICT", tx.runMany("INSERT INTO t VALUES ($1)", [[2], [1]]));
      await tx.runMany("INSERT INTO t VALUES ($1)", [[3], [4]]);
    });
    expect(await values(db)).toEqual([1, 3, 4]);
  });

  test("a failed statement leaves the transaction usable", async (db) => {
    await db.exec("CREATE TABLE t (v UNIQUE)");
    await db.transaction(async (tx) => {
      await add(tx, 1);
      await fails("CONFLICT", add(tx, 1));
      await fails("DRIVER", tx.run("INSERT INTO nowhere VALUES (1)"));
      await add(tx, 2);
    });
    expect(await values(db)).toEqual([1, 2]);
  });

  test("statements the body did not wait for are part of it", async (db) => {
    await table(db);
    await db.transaction(async (tx) => {
      void add(tx, 1);
      void tx.transaction(async (savepoint) => {
        await add(savepoint, 2);
        await savepoint.get("SELECT 1");
        await add(savepoint, 3);
      });
      void add(tx, 4);
    });
    expect(await values(db)).toEqual([1, 2, 3, 4]);
  });

  test("two hundred transactions in a row work", async (db) => {
    await table(db);
    for (let i = 0; i < 200; i++) await db.transaction((tx) => add(tx, i));
    expect(await db.get("SELECT count(*) AS n FROM t")).toEqual({ n: 200 });
  });
}
