import { describe, expect, it } from "vitest";
import { readSqlStatement, splitSqlScript } from "../../src/contracts/sql-text.ts";
import { migrations } from "../../src/sql/migrations.generated.ts";

const kind = (sql: string): string => readSqlStatement(sql).kind;

describe("readSqlStatement", () => {
  it("tells what a statement does from its words", () => {
    expect(kind("  -- why\n select 1")).toBe("read");
    expect(kind("VALUES (1)")).toBe("read");
    expect(kind("EXPLAIN QUERY PLAN DELETE FROM t")).toBe("read");
    expect(kind("insert into t values (1)")).toBe("change");
    expect(kind("REPLACE INTO t VALUES (1)")).toBe("change");
    expect(kind("with a as (select 1), b as (select 2) select * from a, b")).toBe("read");
    expect(kind("WITH RECURSIVE a (n) AS (VALUES (1) UNION SELECT n + 1 FROM a) DELETE FROM t")).toBe("change");
    expect(kind("PRAGMA user_version")).toBe("pragma");
    expect(kind("Rollback to x")).toBe("control");
    expect(kind("CREATE TABLE insert_log (v)")).toBe("schema");
    expect(kind("CREATE TABLE t AS SELECT 1")).toBe("schema");
    expect(kind("VACUUM")).toBe("schema");
  });

  it("finds parameters and their highest number", () => {
    expect(readSqlStatement("SELECT $2, $1, $2, a$3, 'x$4', \"$5\", [$6], `$7` /* $8 */ -- $9")).toEqual({
      kind: "read",
      parameterCount: 2,
      parameterOffsets: [7, 11, 15],
    });
  });

  it("reads a text that ends within a quote or a comment to its end", () => {
    expect(readSqlStatement("SELECT 'open $1").parameterCount).toBe(0);
    expect(readSqlStatement("SELECT 1 /* open $1").parameterCount).toBe(0);
    expect(readSqlStatement('SELECT "open $1').parameterCount).toBe(0);
  });

  it("reads a text of megabytes at once", () => {
    const values = Array.from({ length: 100_000 }, (_, i) => `('it''s ${i}', ${i})`).join(", ");
    expect(readSqlStatement(`INSERT INTO t VALUES ${values}`).kind).toBe("change");
    expect(readSqlStatement(`SELECT '${"'';".repeat(1_000_000)}'`).kind).toBe("read");
  });
});

describe("splitSqlScript", () => {
  it("cuts at semicolons outside quotes, comments and trigger bodies", () => {
    const script = `-- first
      CREATE TABLE a (v DEFAULT ';'); /* ; */ ;
      CREATE TEMPORARY TRIGGER t AFTER INSERT ON a WHEN new.v > 0 BEGIN
        UPDATE a SET v = CASE WHEN v = 1 THEN 2 ELSE 3 END; -- ; END;
        SELECT 'END;';
      END;
      CREATE VIEW "trigger" AS SELECT 1;
      INSERT INTO a VALUES (1)`;
    expect(splitSqlScript(script).map((statement) => statement.slice(0, 20))).toEqual([
      "CREATE TABLE a (v DE",
      "CREATE TEMPORARY TRI",
      'CREATE VIEW "trigger',
      "INSERT INTO a VALUES",
    ]);
    expect(splitSqlScript(script)[1]).toMatch(/END$/);
    expect(splitSqlScript(" -- nothing\n;;")).toEqual([]);
  });

  it("gives statements of which each is one", () => {
    for (const { sql } of migrations) {
      for (const statement of splitSqlScript(sql)) expect(() => readSqlStatement(statement)).not.toThrow();
    }
  });
});
