import { expect } from "vitest";
import type { SqlTest } from "../sql-database.ts";
import { fails } from "./fails.ts";

export function statementTests(test: SqlTest): void {
  test("run says how many rows changed and the last rowid", async (db) => {
    await db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)");
    expect(await db.run("INSERT INTO t (v) VALUES ('a'), ('b'), ('c')")).toEqual({ changes: 3, lastInsertRowid: 3 });
    expect(await db.run("UPDATE t SET v = v || '!' WHERE id > $1", [1])).toMatchObject({ changes: 2 });
    expect(await db.run("DELETE FROM t WHERE id = 77")).toMatchObject({ changes: 0 });
  });

  test("run counts no changes for statements that change no rows themselves", async (db) => {
    await db.exec("CREATE TABLE t (v); INSERT INTO t VALUES (1), (2)");
    await db.run("UPDATE t SET v = v + 1");
    expect(await db.run("CREATE TABLE u (v)")).toMatchObject({ changes: 0 });
    expect(await db.run("SELECT * FROM t")).toMatchObject({ changes: 0 });
    expect(await db.run("WITH c AS (SELECT 1) SELECT * FROM c")).toMatchObject({ changes: 0 });
    expect(await db.run("PRAGMA user_version = 7")).toMatchObject({ changes: 0 });
    expect(await db.run("WITH c AS (SELECT 9 AS x) INSERT INTO t SELECT x FROM c")).toMatchObject({ changes: 1 });
  });

  test("changes leaves out the rows that triggers change", async (db) => {
    await db.exec(`CREATE TABLE t (v); CREATE TABLE log (v);
      CREATE TRIGGER t_ai AFTER INSERT ON t BEGIN
        INSERT INTO log VALUES (new.v); INSERT INTO log VALUES (CASE WHEN new.v > 0 THEN 1 ELSE 0 END);
      END;`);
    expect(await db.run("INSERT INTO t VALUES (1)")).toMatchObject({ changes: 1 });
    expect(await db.get("SELECT count(*) AS n FROM log")).toEqual({ n: 2 });
  });

  test("all returns every row in order, by column name", async (db) => {
    await db.exec("CREATE TABLE t (a, b); INSERT INTO t VALUES (2, 'two'), (1, 'one')");
    const rows = await db.all("SELECT b, a AS number FROM t ORDER BY a");
    expect(rows).toEqual([
      { b: "one", number: 1 },
      { b: "two", number: 2 },
    ]);
    expect(Object.keys(rows[0] ?? {})).toEqual(["b", "number"]);
    expect(await db.all("SELECT * FROM t WHERE a > 10")).toEqual([]);
  });

  test("get returns the first row, or undefined", async (db) => {
    await db.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)");
    expect(await db.get("SELECT a FROM t ORDER BY a DESC")).toEqual({ a: 2 });
    expect(await db.get("SELECT a FROM t WHERE a = 3")).toBeUndefined();
  });

  test("get and all run RETURNING statements to their end", async (db) => {
    await db.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
    expect(await db.get("INSERT INTO t (b) VALUES ('x'), ('y') RETURNING a")).toEqual({ a: 1 });
    expect(await db.all("UPDATE t SET b = b || b RETURNING b")).toEqual([{ b: "xx" }, { b: "yy" }]);
    expect(await db.get("SELECT count(*) AS n FROM t")).toEqual({ n: 2 });
  });

  test("a statement sees the columns that were added or renamed after it was prepared", async (db) => {
    await db.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    expect(await db.get("SELECT * FROM t")).toEqual({ a: 1 });
    await db.run("ALTER TABLE t ADD COLUMN b DEFAULT 2");
    expect(await db.get("SELECT * FROM t")).toEqual({ a: 1, b: 2 });
    await db.run("ALTER TABLE t RENAME COLUMN a TO z");
    expect(await db.all("SELECT * FROM t")).toEqual([{ z: 1, b: 2 }]);
  });

  test("far more different statements run than a cache keeps", async (db) => {
    const sums = [];
    for (let i = 0; i < 600; i++) sums.push((await db.get<{ n: number }>(`SELECT ${i} + $1 AS n`, [1]))?.n);
    expect(sums).toEqual(Array.from({ length: 600 }, (_, i) => i + 1));
    expect(await db.get("SELECT 0 + $1 AS n", [41])).toEqual({ n: 41 });
  });

  test("statements not waited for run in the order they were made", async (db) => {
    await db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
    await Promise.all(Array.from({ length: 100 }, (_, i) => db.run("INSERT INTO t (v) VALUES ($1)", [i])));
    const rows = await db.all<{ v: number }>("SELECT v FROM t ORDER BY id");
    expect(rows.map(({ v }) => v)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test("one statement per call: a second one, none, or other than text is refused", async (db) => {
    await fails("INVALID_INPUT", db.run("CREATE TABLE t (a); CREATE TABLE u (a)"));
    expect(await db.all("SELECT name FROM sqlite_schema")).toEqual([]);
    await fails("INVALID_INPUT", db.all("SELECT 1; SELECT 2"));
    await fails("INVALID_INPUT", db.get("  -- nothing\n"));
    await fails("INVALID_INPUT", db.run(undefined as unknown as string));
    expect(await db.get("/* one */ SELECT ';' AS v; -- done;\n ;")).toEqual({ v: ";" });
  });

  test("a trigger with several statements in its body is one statement", async (db) => {
    await db.exec("CREATE TABLE t (v); CREATE TABLE log (v)");
    await db.run(`CREATE TEMP TRIGGER log_t AFTER INSERT ON t BEGIN
      INSERT INTO log VALUES (CASE new.v WHEN 1 THEN 'one' ELSE 'many' END);
      DELETE FROM t WHERE v < new.v;
    END;`);
    await db.runMany("INSERT INTO t VALUES ($1)", [[1], [2]]);
    expect(await db.all("SELECT v FROM log")).toEqual([{ v: "one" }, { v: "many" }]);
  });

  test("runMany adds the changes up and keeps the order", async (db) => {
    await db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
    const result = await db.runMany("INSERT INTO t (v) VALUES ($1), ($2)", [
      ["a", "b"],
      ["c", "d"],
    ]);
    expect(result).toEqual({ changes: 4, lastInsertRowid: 4 });
    expect(await db.all("SELECT v FROM t ORDER BY id")).toEqual([{ v: "a" }, { v: "b" }, { v: "c" }, { v: "d" }]);
    expect(await db.runMany("DELETE FROM t WHERE v = $1", [])).toMatchObject({ changes: 0 });
  });

  test("runMany does all or nothing", async (db) => {
    await db.exec("CREATE TABLE t (v UNIQUE)");
    await fails("CONFLICT", db.runMany("INSERT INTO t VALUES ($1)", [[1], [2], [1], [3]]));
    expect(await db.all("SELECT v FROM t")).toEqual([]);
    expect(await db.runMany("INSERT INTO t VALUES ($1)", [[1], [2]])).toMatchObject({ changes: 2 });
  });

  test("exec runs a script and takes an empty one", async (db) => {
    await db.exec("CREATE TABLE t (v); -- a comment;\n INSERT INTO t VALUES (';'); INSERT INTO t VALUES (2)");
    await db.exec("");
    await db.exec("-- nothing");
    expect(await db.all("SELECT v FROM t")).toEqual([{ v: ";" }, { v: 2 }]);
  });

  test("a script that fails keeps what came before the failure", async (db) => {
    await fails("DRIVER", db.exec("CREATE TABLE t (v); CREATE TABLE t (v); CREATE TABLE u (v)"));
    expect(await db.all("SELECT name FROM sqlite_schema")).toEqual([{ name: "t" }]);
  });

  test("a script that leaves a transaction open is rolled back and refused", async (db) => {
    await db.exec("CREATE TABLE t (v)");
    await fails("INVALID_INPUT", db.exec("BEGIN; INSERT INTO t VALUES (1)"));
    await fails("DRIVER", db.exec("BEGIN; INSERT INTO t VALUES (1); INSERT INTO nowhere VALUES (1)"));
    expect(await db.all("SELECT v FROM t")).toEqual([]);
    await db.exec("BEGIN; INSERT INTO t VALUES (1); COMMIT");
    expect(await db.all("SELECT v FROM t")).toEqual([{ v: 1 }]);
  });

  test("broken constraints are CONFLICT, foreign keys among them", async (db) => {
    await db.exec(`CREATE TABLE p (id INTEGER PRIMARY KEY, n TEXT NOT NULL UNIQUE CHECK (n <> ''));
      CREATE TABLE c (p INTEGER REFERENCES p (id));`);
    await db.run("INSERT INTO p (n) VALUES ('a')");
    const error = await fails("CONFLICT", db.run("INSERT INTO p (n) VALUES ('a')"));
    expect(error).toMatchObject({ capability: "sql", operation: "run", retryable: false });
    expect(error.message).toContain("p.n");
    expect(error.cause).toBeInstanceOf(Error);
    await fails("CONFLICT", db.run("INSERT INTO p (n) VALUES ('')"));
    await fails("CONFLICT", db.run("INSERT INTO p (n) VALUES (NULL)"));
    await fails("CONFLICT", db.run("INSERT INTO c VALUES (99)"));
    await fails("CONFLICT", db.get("INSERT INTO c VALUES (99) RETURNING p"));
    await db.run("INSERT INTO c VALUES (1)");
    await fails("CONFLICT", db.run("DELETE FROM p"));
  });

  test("SQL that the engine does not take is DRIVER, with its message and cause", async (db) => {
    const error = await fails("DRIVER", db.all("SELEKT 1"));
    expect(error.message).toContain("SELEKT");
    expect(error.cause).toBeInstanceOf(Error);
    await fails("DRIVER", db.run("INSERT INTO nowhere VALUES (1)"));
    await fails("DRIVER", db.get("SELECT no_such_function()"));
    expect(await db.get("SELECT 1 AS one")).toEqual({ one: 1 });
  });

  test("a value of the wrong type for a rowid is INVALID_INPUT", async (db) => {
    await db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY)");
    await fails("INVALID_INPUT", db.run("INSERT INTO t VALUES ($1)", ["x"]));
  });

  test("full-text search is there", async (db) => {
    const { fullText } = await db.capabilities();
    expect(fullText).toBe(true);
    await db.exec("CREATE VIRTUAL TABLE f USING fts5 (body); INSERT INTO f VALUES ('a lode of ore'), ('a store')");
    expect(await db.all("SELECT rowid FROM f WHERE f MATCH $1", ["lode"])).toEqual([{ rowid: 1 }]);
  });
}
