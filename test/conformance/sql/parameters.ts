import { expect } from "vitest";
import type { SqlParams } from "../../../src/contracts/sql.ts";
import type { SqlTest } from "../sql-database.ts";
import { fails } from "./fails.ts";

export function parameterTests(test: SqlTest): void {
  test("$n takes the n-th parameter, in any order and more than once", async (db) => {
    expect(await db.get("SELECT $2 AS b, $1 AS a, $2 || $1 || $2 AS c", ["x", "y"])).toEqual({
      b: "y",
      a: "x",
      c: "yxy",
    });
  });

  test("$10 is the tenth parameter, and $01 the first", async (db) => {
    const params = Array.from({ length: 12 }, (_, i) => i + 1);
    expect(await db.get("SELECT $10 AS ten, $1 AS one, $12 AS twelve, $01 AS again", params)).toEqual({
      ten: 10,
      one: 1,
      twelve: 12,
      again: 1,
    });
  });

  test("$1 in a string, a quoted name or a comment is text", async (db) => {
    const sql = `SELECT '$1 it''s $2' AS s, "$3" AS q, [$4] AS r /* $5 */ FROM (SELECT $1 AS "$3", 8 AS [$4]) -- $6`;
    expect(await db.get(sql, [7])).toEqual({ s: "$1 it's $2", q: 7, r: 8 });
    expect(await db.get("SELECT json_extract($1, '$.a') AS a", ['{"a":5}'])).toEqual({ a: 5 });
  });

  test("parameters that are left out of the text still count", async (db) => {
    expect(await db.get("SELECT $3 AS c", [1, 2, 3])).toEqual({ c: 3 });
    await fails("INVALID_INPUT", db.get("SELECT $3 AS c", [3]));
  });

  test("too few and too many parameters are refused with both counts", async (db) => {
    await db.exec("CREATE TABLE t (a, b)");
    const few = await fails("INVALID_INPUT", db.run("INSERT INTO t VALUES ($1, $2)", [1]));
    expect(few.message).toMatch(/takes 2 parameters, got 1/);
    const many = await fails("INVALID_INPUT", db.all("SELECT * FROM t WHERE a = $1", [1, 2, 3]));
    expect(many.message).toMatch(/takes 1 parameter, got 3/);
    await fails("INVALID_INPUT", db.get("SELECT $1 AS v"));
    await fails("INVALID_INPUT", db.iterate("SELECT $1 AS v").next());
    expect(await db.all("SELECT * FROM t")).toEqual([]);
  });

  test("values that SQL cannot hold are refused by position, before anything is written", async (db) => {
    await db.exec("CREATE TABLE t (a, b)");
    const unfit: unknown[] = [undefined, Number.NaN, true, {}, [1], new Date(0), new Float32Array(2), 2n ** 63n];
    for (const value of unfit) {
      const params = [1, value] as SqlParams;
      const error = await fails("INVALID_INPUT", db.run("INSERT INTO t VALUES ($1, $2)", params));
      expect(error.message).toContain("$2");
      await fails("INVALID_INPUT", db.all("SELECT $1, $2", params));
      await fails("INVALID_INPUT", db.iterate("SELECT $1, $2", params).next());
    }
    expect(await db.all("SELECT * FROM t")).toEqual([]);
  });

  test("runMany checks every row before it writes the first", async (db) => {
    await db.exec("CREATE TABLE t (a)");
    const rows = [[1], [2], [undefined]] as SqlParams[];
    const error = await fails("INVALID_INPUT", db.runMany("INSERT INTO t VALUES ($1)", rows));
    expect(error.message).toMatch(/row 2.*\$1/);
    await fails("INVALID_INPUT", db.runMany("INSERT INTO t VALUES ($1)", [[1], []]));
    await db.transaction(async (tx) => {
      await fails("INVALID_INPUT", tx.runMany("INSERT INTO t VALUES ($1)", rows));
      expect(await tx.all("SELECT * FROM t")).toEqual([]);
    });
  });

  test("params that are no array are refused", async (db) => {
    await fails("INVALID_INPUT", db.get("SELECT $1 AS v", "x" as unknown as SqlParams));
    await fails("INVALID_INPUT", db.get("SELECT $1 AS v", { 1: 2 } as unknown as SqlParams));
  });

  test("other styles of parameters are refused, not left unbound", async (db) => {
    for (const style of ["?", "?1", ":a", "@a", "$a", "$0", "$32767"]) {
      await fails("INVALID_INPUT", db.get(`SELECT ${style} AS v`, [1]));
    }
  });
}
