import { expect } from "vitest";
import type { SqlTest } from "../sql-database.ts";
import { fails } from "./fails.ts";
import { gate } from "./gate.ts";

export function lifecycleTests(test: SqlTest): void {
  test("capabilities say what the driver is and which settings it runs with", async (db) => {
    const capabilities = await db.capabilities();
    expect(capabilities).toMatchObject({
      dialect: "sqlite",
      engine: expect.stringMatching(/^SQLite 3\.\d+/) as string,
    });
    expect(capabilities.driver).toMatch(/^sql-/);
    for (const setting of ["journal_mode", "page_size", "cache_size", "synchronous", "locking_mode"]) {
      expect(capabilities.settings).toHaveProperty(setting);
    }
  });

  test("close may be called twice, and everything after it throws CLOSED", async (db) => {
    const open = db.iterate("SELECT 1");
    await Promise.all([db.close(), db.close()]);
    await db.close();
    await fails("CLOSED", db.run("CREATE TABLE t (v)"));
    await fails("CLOSED", db.runMany("SELECT $1", [[1]]));
    await fails("CLOSED", db.all("SELECT 1"));
    await fails("CLOSED", db.get("SELECT 1"));
    await fails("CLOSED", db.iterate("SELECT 1").next());
    await fails("CLOSED", open.next());
    await fails("CLOSED", db.exec("SELECT 1"));
    await fails("CLOSED", db.capabilities());
    await fails(
      "CLOSED",
      db.transaction(async () => 1),
    );
  });

  test("close waits for the running transaction and for what was called before it", async (db) => {
    await db.exec("CREATE TABLE t (v)");
    const { opened, open } = gate();
    const transaction = db.transaction(async (tx) => {
      await tx.run("INSERT INTO t VALUES (1)");
      await opened;
      return await tx.get("SELECT count(*) AS n FROM t");
    });
    const waiting = db.run("INSERT INTO t VALUES (2)");
    const closed = db.close();
    await fails("CLOSED", db.run("INSERT INTO t VALUES (3)"));
    open();
    expect(await transaction).toEqual({ n: 1 });
    expect(await waiting).toMatchObject({ changes: 1 });
    await closed;
  });

  test("close releases reads that are under way", async (db) => {
    await db.exec("CREATE TABLE t (v); INSERT INTO t VALUES (1), (2), (3)");
    const rows = db.iterate("SELECT v FROM t");
    await rows.next();
    await db.close();
    await fails("CLOSED", db.run("SELECT 1"));
  });

  test("await using closes", async (db) => {
    {
      await using same = db;
      expect(await same.get("SELECT 1 AS one")).toEqual({ one: 1 });
    }
    await fails("CLOSED", db.get("SELECT 1"));
  });
}
