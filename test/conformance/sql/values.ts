import { expect } from "vitest";
import type { SqlDatabase, SqlValue } from "../../../src/contracts/sql.ts";
import type { SqlTest } from "../sql-database.ts";
import { collect } from "./collect.ts";

async function roundTrip(db: SqlDatabase, value: SqlValue): Promise<unknown> {
  return (await db.get<{ v: unknown }>("SELECT $1 AS v", [value]))?.v;
}

async function storedAs(db: SqlDatabase, value: SqlValue): Promise<unknown> {
  return (await db.get<{ kind: unknown }>("SELECT typeof($1) AS kind", [value]))?.kind;
}

export function valueTests(test: SqlTest): void {
  test("numbers come back as they went in", async (db) => {
    const numbers = [0, 1, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53 - 1, -(2 ** 53) + 1];
    const reals = [0.5, -1.25e-300, 1e20, 2 ** 53, Number.MAX_VALUE, Number.MIN_VALUE, Infinity, -Infinity];
    for (const value of [...numbers, ...reals]) expect(await roundTrip(db, value)).toBe(value);
  });

  test("integers beyond 2^53 - 1 are bigints, smaller ones numbers", async (db) => {
    const big = [2n ** 53n, -(2n ** 53n), 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
    for (const value of big) expect(await roundTrip(db, value)).toBe(value);
    expect(await roundTrip(db, 42n)).toBe(42);
    expect(await roundTrip(db, 2n ** 53n - 1n)).toBe(2 ** 53 - 1);
  });

  test("integers of both sizes come in one result, from every read", async (db) => {
    await db.exec("CREATE TABLE t (v INTEGER)");
    await db.runMany("INSERT INTO t VALUES ($1)", [[1], [2n ** 60n], [3]]);
    const expected = [{ v: 1 }, { v: 2n ** 60n }, { v: 3 }];
    const sql = "SELECT v FROM t ORDER BY rowid";
    expect(await db.all(sql)).toEqual(expected);
    expect(await db.all(sql)).toEqual(expected);
    expect(await db.get("SELECT v FROM t ORDER BY v DESC")).toEqual({ v: 2n ** 60n });
    expect(await collect(db.iterate(sql))).toEqual(expected);
    expect(await db.get("INSERT INTO t VALUES ($1) RETURNING v", [2n ** 61n])).toEqual({ v: 2n ** 61n });
    expect(await db.get("SELECT count(*) AS n FROM t")).toEqual({ n: 4 });
  });

  test("whole numbers are stored as integers, others as reals", async (db) => {
    expect(await storedAs(db, 1)).toBe("integer");
    expect(await storedAs(db, 2 ** 40)).toBe("integer");
    expect(await storedAs(db, 1n)).toBe("integer");
    expect(await storedAs(db, 1.5)).toBe("real");
    expect(await storedAs(db, 1e300)).toBe("real");
    expect(await db.get("SELECT $1 / 2 AS half, $2 || '' AS text", [5, 7])).toEqual({ half: 2, text: "7" });
  });

  test("texts come back as they went in, whatever is in them", async (db) => {
    const texts = [
      "",
      "a",
      "it's",
      "naïve",
      "한국어",
      "日本語テキスト",
      "👩‍👩‍👧",
      "\u{10ffff}",
      "\ufeffmark",
      "a\0b\0",
      "\r\n\t",
    ];
    for (const text of texts) {
      expect(await roundTrip(db, text)).toBe(text);
      expect(await roundTrip(db, text.repeat(40))).toBe(text.repeat(40));
    }
    expect(await db.get("SELECT length($1) AS n", ["日本語"])).toEqual({ n: 3 });
  });

  test("texts of many megabytes come back", async (db) => {
    const text = "Größe 大きさ ".repeat(300_000);
    await db.exec("CREATE TABLE t (v)");
    await db.run("INSERT INTO t VALUES ($1)", [text]);
    const row = await db.get<{ v: string }>("SELECT v FROM t");
    expect(row?.v === text).toBe(true);
  });

  test("many parameters of some size come back in one row", async (db) => {
    const values = Array.from({ length: 40 }, (_, i) => `${i} é`.repeat(1000));
    const columns = values.map((_, i) => `$${i + 1} AS c${i}`).join(", ");
    const row = await db.get<Record<string, string>>(`SELECT ${columns}`, values);
    expect(Object.values(row ?? {})).toEqual(values);
    const first = await collect(db.iterate<Record<string, string>>(`SELECT ${columns}`, values));
    expect(Object.values(first[0] ?? {})).toEqual(values);
  });

  test("bytes come back as they went in", async (db) => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    for (const bytes of [new Uint8Array(0), new Uint8Array([0]), all, new Uint8Array(3_000_000).fill(7)]) {
      const back = await roundTrip(db, bytes);
      expect(back).toBeInstanceOf(Uint8Array);
      expect((back as Uint8Array).byteLength).toBe(bytes.byteLength);
      expect((back as Uint8Array).every((byte, i) => byte === bytes[i])).toBe(true);
    }
    expect(await storedAs(db, new Uint8Array(0))).toBe("blob");
  });

  test("a view of a larger buffer stores only what it shows", async (db) => {
    const view = new Uint8Array(Uint8Array.from([1, 2, 3, 4, 5]).buffer, 1, 3);
    expect(await roundTrip(db, view)).toEqual(Uint8Array.from([2, 3, 4]));
  });

  test("bytes are copies: what either side does to them later does not show", async (db) => {
    await db.exec("CREATE TABLE t (v)");
    const bytes = Uint8Array.from([1, 2, 3]);
    await db.run("INSERT INTO t VALUES ($1)", [bytes]);
    bytes.fill(9);
    const first = await db.get<{ v: Uint8Array }>("SELECT v FROM t");
    expect(first?.v).toEqual(Uint8Array.from([1, 2, 3]));
    first?.v.fill(8);
    expect(await db.get("SELECT v FROM t")).toEqual({ v: Uint8Array.from([1, 2, 3]) });
  });

  test("null is null, as parameter and as result", async (db) => {
    expect(await db.get("SELECT $1 AS a, $1 IS NULL AS b, NULL AS c", [null])).toEqual({ a: null, b: 1, c: null });
  });
}
