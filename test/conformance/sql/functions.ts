import { expect } from "vitest";
import type { SqlTest } from "../sql-database.ts";
import { fails } from "./fails.ts";

export function functionTests(test: SqlTest): void {
  test("registered functions are called with the values SQL has", async (db) => {
    expect(
      await db.get("SELECT suite_reverse('lode') AS r, suite_count() AS none, suite_count(1, 2, 3) AS three"),
    ).toEqual({ r: "edol", none: 0, three: 3 });
    const params = [1, 2n ** 60n, 0.5, "é\0x", Uint8Array.from([1]), null];
    expect(await db.get("SELECT suite_kinds($1, $2, $3, $4, $5, $6) AS kinds", params)).toEqual({
      kinds: "number bigint number string bytes object",
    });
    for (const value of [...params, "long text ".repeat(20_000), new Uint8Array(100_000).fill(3), 2 ** 40]) {
      expect(
        await db.get("SELECT suite_same($1) IS $1 AS same, typeof(suite_same($1)) = typeof($1) AS kind", [value]),
      ).toEqual({ same: 1, kind: 1 });
    }
  });

  test("triggers, views, indexes and checks may call functions", async (db) => {
    await db.exec(`CREATE TABLE t (v TEXT CHECK (suite_count(v) = 1)); CREATE TABLE mirror (v TEXT);
      CREATE INDEX t_reverse ON t (suite_reverse(v));
      CREATE VIEW turned AS SELECT suite_reverse(v) AS v FROM t;
      CREATE TRIGGER t_ai AFTER INSERT ON t BEGIN INSERT INTO mirror VALUES (suite_reverse(new.v)); END;`);
    await db.runMany("INSERT INTO t VALUES ($1)", [["ab"], ["cd"]]);
    expect(await db.all("SELECT v FROM mirror")).toEqual([{ v: "ba" }, { v: "dc" }]);
    expect(await db.all("SELECT v FROM turned ORDER BY v")).toEqual([{ v: "ba" }, { v: "dc" }]);
    expect(await db.get("SELECT v FROM t WHERE suite_reverse(v) = 'dc'")).toEqual({ v: "cd" });
  });

  test("a function that throws fails the statement with DRIVER, its name and its error", async (db) => {
    await db.exec("CREATE TABLE t (v)");
    for (const attempt of [
      () => db.get("SELECT suite_fail('out of ore')"),
      () => db.all("SELECT suite_fail('out of ore')"),
      () => db.run("INSERT INTO t VALUES (suite_fail('out of ore'))"),
      () => db.runMany("INSERT INTO t VALUES (suite_fail($1))", [["out of ore"]]),
      () => db.iterate("SELECT suite_fail('out of ore')").next(),
    ]) {
      const error = await fails("DRIVER", attempt());
      expect(error.message).toMatch(/suite_fail.*out of ore/);
      expect(error.cause).toMatchObject({ name: "RangeError", message: "out of ore" });
    }
    expect(await db.all("SELECT * FROM t")).toEqual([]);
  });

  test("a function that returns what SQL cannot hold fails the statement", async (db) => {
    const error = await fails("DRIVER", db.get("SELECT suite_wrong()"));
    expect(error.message).toContain("suite_wrong");
    expect(await db.get("SELECT 1 AS one")).toEqual({ one: 1 });
  });
}
