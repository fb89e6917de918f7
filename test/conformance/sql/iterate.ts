import { expect } from "vitest";
import type { SqlDatabase } from "../../../src/contracts/sql.ts";
import type { SqlTest } from "../sql-database.ts";
import { collect } from "./collect.ts";
import { fails } from "./fails.ts";

const NUMBERS = "SELECT v FROM t ORDER BY v";

async function fill(db: SqlDatabase, count: number): Promise<void> {
  await db.exec("CREATE TABLE t (v INTEGER PRIMARY KEY, pad TEXT)");
  const rows = Array.from({ length: count }, (_, i) => [i, "x"]);
  await db.runMany("INSERT INTO t VALUES ($1, $2)", rows);
}

export function iterateTests(test: SqlTest): void {
  test("hands out every row in order, then ends", async (db) => {
    await fill(db, 1000);
    const seen: number[] = [];
    for await (const { v } of db.iterate<{ v: number }>(NUMBERS)) seen.push(v);
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    const rows = db.iterate("SELECT v FROM t WHERE v < $1", [1]);
    expect(await rows.next()).toEqual({ done: false, value: { v: 0 } });
    expect(await rows.next()).toMatchObject({ done: true });
    expect(await rows.next()).toMatchObject({ done: true });
  });

  test("leaving the loop early releases the statement", async (db) => {
    await fill(db, 1000);
    for await (const { v } of db.iterate<{ v: number }>(NUMBERS)) if (v === 3) break;
    // A table under an open read cannot be dropped.
    await db.run("DROP TABLE t");
    expect(await db.all("SELECT name FROM sqlite_schema WHERE name = 't'")).toEqual([]);
  });

  test("an error thrown in the loop releases the statement", async (db) => {
    await fill(db, 1000);
    const loop = async (): Promise<void> => {
      for await (const row of db.iterate(NUMBERS)) throw new Error(`met ${JSON.stringify(row)}`);
    };
    await expect(loop()).rejects.toThrow('met {"v":0}');
    await db.run("DROP TABLE t");
  });

  test("two loops over the same text do not disturb each other", async (db) => {
    await fill(db, 20);
    const pairs: string[] = [];
    for await (const outer of db.iterate<{ v: number }>(NUMBERS)) {
      if (outer.v === 3) break;
      for await (const inner of db.iterate<{ v: number }>(NUMBERS)) {
        if (inner.v === 3) break;
        pairs.push(`${outer.v}${inner.v}`);
      }
      expect(await db.get(NUMBERS)).toEqual({ v: 0 });
    }
    expect(pairs).toEqual(["00", "01", "02", "10", "11", "12", "20", "21", "22"]);
  });

  test("statements run between two rows", async (db) => {
    await fill(db, 300);
    await db.exec("CREATE TABLE copy (v)");
    for await (const { v } of db.iterate<{ v: number }>(NUMBERS)) await db.run("INSERT INTO copy VALUES ($1)", [v]);
    expect(await db.get("SELECT count(*) AS n FROM copy")).toEqual({ n: 300 });
  });

  test("a loop keeps its parameters while other statements take theirs", async (db) => {
    await fill(db, 20);
    const sql = "SELECT $1 AS text, $2 AS bytes FROM t ORDER BY v";
    const params = ["a text of some length, longer than the shortest", Uint8Array.from([1, 2, 3])];
    for await (const row of db.iterate(sql, params)) {
      expect(row).toEqual({ text: params[0], bytes: params[1] });
      await db.get("SELECT $1, $2", ["another text, which must not show up in the loop", Uint8Array.from([9, 9, 9])]);
    }
  });

  test("transactions run between two rows, rolled back ones too", async (db) => {
    await fill(db, 20);
    const seen: number[] = [];
    for await (const { v } of db.iterate<{ v: number }>(NUMBERS)) {
      seen.push(v);
      const change = db.transaction(async (tx) => {
        await tx.run("UPDATE t SET pad = $2 WHERE v = $1", [v, "changed"]);
        if (v % 2 === 1) throw new Error("odd");
      });
      if (v % 2 === 1) await expect(change).rejects.toThrow("odd");
      else await change;
    }
    expect(seen).toHaveLength(20);
    expect(await db.get("SELECT count(*) AS n FROM t WHERE pad = 'changed'")).toEqual({ n: 10 });
  });

  test("a write that returns rows is done whole, however many rows are read", async (db) => {
    await fill(db, 3);
    for await (const { v } of db.iterate<{ v: number }>("INSERT INTO t (v) VALUES (10), (11), (12) RETURNING v")) {
      // Done and committed: a transaction that rolls back takes nothing of it along.
      const undone = db.transaction(async (tx) => {
        await tx.run("DELETE FROM t");
        throw new Error(`undo at ${v}`);
      });
      await expect(undone).rejects.toThrow("undo at 10");
      break;
    }
    expect(await db.get("SELECT count(*) AS n FROM t")).toEqual({ n: 6 });
    expect(await collect(db.iterate("DELETE FROM t WHERE v > 10 RETURNING v"))).toEqual([{ v: 11 }, { v: 12 }]);
  });

  test("SQL that cannot run rejects the first next", async (db) => {
    await fails("DRIVER", db.iterate("SELECT * FROM nowhere").next());
    await fails("INVALID_INPUT", db.iterate("BEGIN").next());
    const rows = db.iterate("SELECT * FROM nowhere");
    await fails("DRIVER", rows.next());
    expect(await rows.next()).toMatchObject({ done: true });
  });

  test("a signal ends it with ABORTED before the next row", async (db) => {
    await fill(db, 1000);
    const abort = new AbortController();
    const seen: number[] = [];
    const loop = async (): Promise<void> => {
      for await (const { v } of db.iterate<{ v: number }>(NUMBERS, [], { signal: abort.signal })) {
        seen.push(v);
        if (v === 4) abort.abort();
      }
    };
    await fails("ABORTED", loop());
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    await db.run("DROP TABLE t");
  });

  test("a signal that is aborted already ends reads before they start", async (db) => {
    const signal = AbortSignal.abort();
    await fails("ABORTED", db.all("SELECT 1", [], { signal }));
    await fails("ABORTED", db.iterate("SELECT 1", [], { signal }).next());
  });

  test("inside a transaction it sees what the transaction wrote", async (db) => {
    await fill(db, 2);
    await db.transaction(async (tx) => {
      await tx.run("INSERT INTO t (v) VALUES (50)");
      expect(await collect(tx.iterate(NUMBERS))).toEqual([{ v: 0 }, { v: 1 }, { v: 50 }]);
    });
  });

  test("it ends with the transaction it belongs to", async (db) => {
    await fill(db, 20_000);
    const rows = await db.transaction(async (tx) => {
      const iterator = tx.iterate(NUMBERS);
      await iterator.next();
      return [iterator];
    });
    const rest = async (): Promise<void> => {
      for await (const _ of rows[0] ?? []);
    };
    // A table under an open read cannot be dropped.
    await db.run("DROP TABLE t");
    await fails("TRANSACTION", rest());
  });
}
