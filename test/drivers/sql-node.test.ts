import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { StorageError } from "../../src/errors.ts";
import { fails } from "../conformance/sql/fails.ts";
import { gate } from "../conformance/sql/gate.ts";
import { testSqlDatabase } from "../conformance/sql-database.ts";
import { suiteFunctions } from "../conformance/sql-functions.ts";

testSqlDatabase("sql-node", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lodestore-"));
  const db = await openSqlNode({ path: join(folder, "store.sqlite3"), functions: suiteFunctions });
  const cleanup = async (): Promise<void> => {
    await db.close();
    rmSync(folder, { recursive: true });
  };
  return { db, cleanup };
});

describe("sql-node", () => {
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lodestore-"));
    path = join(folder, "store.sqlite3");
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it("keeps what was committed when it is opened again", async () => {
    const first = await openSqlNode({ path, functions: {} });
    await first.exec("CREATE TABLE t (v); INSERT INTO t VALUES (1)");
    await first.close();
    await using second = await openSqlNode({ path, functions: {} });
    expect(await second.all("SELECT v FROM t")).toEqual([{ v: 1 }]);
  });

  it("runs in WAL mode, synchronous FULL, from the first write on", async () => {
    await using db = await openSqlNode({ path, functions: {} });
    await db.exec("CREATE TABLE t (v)");
    expect(await db.capabilities()).toMatchObject({
      driver: "sql-node",
      vfs: "file",
      persistent: true,
      settings: { journal_mode: "wal", synchronous: 2 },
    });
  });

  it("does not touch a file before the first write", async () => {
    const other = new DatabaseSync(path);
    other.exec("CREATE TABLE t (v); INSERT INTO t VALUES (1)");
    other.close();
    const before = readFileSync(path);
    await using db = await openSqlNode({ path, functions: {} });
    expect(await db.all("SELECT v FROM t")).toEqual([{ v: 1 }]);
    await db.all("PRAGMA integrity_check");
    expect(readFileSync(path).equals(before)).toBe(true);
    await db.run("INSERT INTO t VALUES (2)");
    expect((await db.capabilities()).settings["journal_mode"]).toBe("wal");
  });

  it("waits for another connection's transaction without blocking the thread", async () => {
    await using one = await openSqlNode({ path, functions: {} });
    await using two = await openSqlNode({ path, functions: {} });
    await one.exec("CREATE TABLE t (v)");
    const { opened, open } = gate();
    const first = one.transaction(async (tx) => {
      await tx.run("INSERT INTO t VALUES (1)");
      await opened;
    });
    const second = two.transaction((tx) => tx.run("INSERT INTO t VALUES (2)"));
    const third = two.run("INSERT INTO t VALUES (3)");
    const fourth = two.runMany("INSERT INTO t VALUES ($1)", [[4], [5]]);
    open();
    await Promise.all([first, second, third, fourth]);
    expect(await two.all("SELECT v FROM t")).toEqual([{ v: 1 }, { v: 2 }, { v: 3 }, { v: 4 }, { v: 5 }]);
  });

  it("is TIMEOUT, and retryable, when the lock is not given up in time", async () => {
    await using one = await openSqlNode({ path, functions: {} });
    await using two = await openSqlNode({ path, functions: {}, busyTimeoutMs: 30 });
    await one.exec("CREATE TABLE t (v)");
    await one.transaction(async (tx) => {
      await tx.run("INSERT INTO t VALUES (1)");
      const error = await fails("TIMEOUT", two.run("INSERT INTO t VALUES (2)"));
      expect(error.retryable).toBe(true);
      let ran = false;
      await fails(
        "TIMEOUT",
        two.transaction(async () => void (ran = true)),
      );
      expect(ran).toBe(false);
      // Readers of a WAL file do not wait.
      expect(await two.all("SELECT v FROM t")).toEqual([]);
    });
    await two.run("INSERT INTO t VALUES (3)");
  });

  it("does not run a body twice that waited for the lock and then fails with TIMEOUT itself", async () => {
    await using one = await openSqlNode({ path, functions: {} });
    await using two = await openSqlNode({ path, functions: {} });
    await one.exec("CREATE TABLE t (v)");
    const { opened, open } = gate();
    const holding = one.transaction(async (tx) => {
      await tx.run("INSERT INTO t VALUES (1)");
      await opened;
    });
    let runs = 0;
    const waiting = two.transaction(async () => {
      runs++;
      throw new StorageError("TIMEOUT", "from the body", { capability: "sql", operation: "test" });
    });
    open();
    await holding;
    expect((await fails("TIMEOUT", waiting)).message).toBe("from the body");
    expect(runs).toBe(1);
  });

  it("opens a file for reading only, and refuses writes as UNSUPPORTED", async () => {
    const writer = await openSqlNode({ path, functions: {} });
    await writer.exec("CREATE TABLE t (v); INSERT INTO t VALUES (1)");
    await writer.close();
    await using db = await openSqlNode({ path, functions: {}, readOnly: true });
    expect(await db.transaction((tx) => tx.all("SELECT v FROM t"))).toEqual([{ v: 1 }]);
    await fails("UNSUPPORTED", db.run("INSERT INTO t VALUES (2)"));
  });

  it("is NOT_FOUND for a missing folder, and for a missing file that is to be read", async () => {
    await fails("NOT_FOUND", openSqlNode({ path: join(folder, "no", "store.sqlite3"), functions: {} }));
    await fails("NOT_FOUND", openSqlNode({ path, functions: {}, readOnly: true }));
  });

  it("is CORRUPT for a file that is no database", async () => {
    writeFileSync(path, "not a database, but long enough to look like one ".repeat(100));
    await fails("CORRUPT", openSqlNode({ path, functions: {} }));
  });

  it("refuses options out of range", async () => {
    await fails("INVALID_INPUT", openSqlNode({ path: "", functions: {} }));
    await fails("INVALID_INPUT", openSqlNode({ path, functions: {}, busyTimeoutMs: -1 }));
  });
});
