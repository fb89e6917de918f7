import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { openSqlMemory } from "../../src/drivers/sql-memory.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { StorageError, type StorageErrorCode } from "../../src/errors.ts";
import { migrate } from "../../src/sql/migrate.ts";
import type { Migration } from "../../src/sql/migration.ts";
import { migrations } from "../../src/sql/migrations.generated.ts";

function migration(version: number, sql: string): Migration {
  const sha256 = createHash("sha256").update(sql).digest("hex");
  return { version, name: `V00${version}__m${version}`, sha256, sql };
}

const first = migration(1, "CREATE TABLE a (v); -- one\nCREATE TABLE b (v);");
const second = migration(
  2,
  "CREATE TRIGGER a_ai AFTER INSERT ON a BEGIN INSERT INTO b VALUES (new.v); DELETE FROM b WHERE v IS NULL; END;",
);
const third = migration(3, "ALTER TABLE a ADD COLUMN w;");

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lodestore-"));
  path = join(folder, "store.db");
});

afterEach(() => rmSync(folder, { recursive: true }));

async function withFile<T>(body: (db: SqlDatabase) => Promise<T>): Promise<T> {
  const db = await openSqlNode({ path, functions: {} });
  try {
    return await body(db);
  } finally {
    await db.close();
  }
}

const tables = (db: SqlDatabase): Promise<object[]> =>
  db.all("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");

/** Expects that migrating is refused with this code, and that not one byte of the file has changed. */
async function refuses(code: StorageErrorCode, bundle: readonly Migration[]): Promise<StorageError> {
  const before = createHash("sha256").update(readFileSync(path)).digest("hex");
  const error = await withFile((db) =>
    migrate(db, bundle).then(
      () => undefined,
      (failure: unknown) => failure,
    ),
  );
  expect(error).toBeInstanceOf(StorageError);
  expect(error).toMatchObject({ code, capability: "migrations", retryable: false });
  expect(createHash("sha256").update(readFileSync(path)).digest("hex")).toBe(before);
  return error as StorageError;
}

describe("migrate", () => {
  it("applies all migrations to an empty database and remembers name, checksum and time", async () => {
    const before = Date.now();
    await withFile(async (db) => {
      expect(await migrate(db, [first, second])).toEqual({
        applied: ["V001__m1", "V002__m2"],
        version: 2,
      });
      const rows = await db.all<{ applied_at: number }>("SELECT * FROM schema_migrations ORDER BY version");
      expect(rows).toMatchObject([
        { version: 1, name: "V001__m1", sha256: first.sha256 },
        { version: 2, name: "V002__m2", sha256: second.sha256 },
      ]);
      for (const row of rows) expect(row.applied_at).toBeGreaterThanOrEqual(before);
      await db.run("INSERT INTO a VALUES (1)");
      expect(await db.all("SELECT v FROM b")).toEqual([{ v: 1 }]);
    });
  });

  it("applies only what is pending, and nothing the second time", async () => {
    await withFile((db) => migrate(db, [first]));
    await withFile(async (db) => {
      expect(await migrate(db, [first, second, third])).toEqual({ applied: ["V002__m2", "V003__m3"], version: 3 });
      expect(await migrate(db, [first, second, third])).toEqual({ applied: [], version: 3 });
    });
  });

  it("writes nothing where nothing is pending", async () => {
    await withFile((db) => migrate(db, [first]));
    const before = readFileSync(path);
    await withFile((db) => migrate(db, [first]));
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("applies all or none: one that fails leaves nothing of those before it", async () => {
    await withFile((db) => migrate(db, [first]));
    const broken = migration(3, "CREATE TABLE c (v); INSERT INTO nowhere VALUES (1);");
    const error = await refuses("MIGRATION_FAILED", [first, second, broken]);
    expect(error.operation).toBe("V003__m3");
    expect(error.cause).toMatchObject({ code: "DRIVER" });
    await withFile(async (db) => {
      expect(await db.all("SELECT version FROM schema_migrations")).toEqual([{ version: 1 }]);
      expect(await tables(db)).toEqual([{ name: "a" }, { name: "b" }, { name: "schema_migrations" }]);
    });
  });

  it("refuses an empty database whose first migration fails, and leaves it empty", async () => {
    await withFile(async (db) => {
      await expect(migrate(db, [migration(1, "CREATE TABLE a (v); SELEKT")])).rejects.toMatchObject({
        code: "MIGRATION_FAILED",
      });
      expect(await tables(db)).toEqual([]);
    });
  });

  it("refuses a migration that was edited after it was applied", async () => {
    await withFile((db) => migrate(db, [first, second]));
    const error = await refuses("MIGRATION_CHANGED", [migration(1, "CREATE TABLE a (v)"), second, third]);
    expect(error.message).toContain("V001__m1");
    await refuses("MIGRATION_CHANGED", [{ ...first, name: "V001__renamed" }, second]);
  });

  it("refuses a database that has a migration this release does not know", async () => {
    await withFile(async (db) => {
      await migrate(db, [first, second]);
      await db.run("INSERT INTO schema_migrations VALUES (0, 'V000__stray', 'x', 0)");
    });
    const error = await refuses("MIGRATION_MISSING", [first, second, third]);
    expect(error.message).toContain("V000__stray");
  });

  it("refuses to apply a migration older than an applied one", async () => {
    await withFile(async (db) => {
      await migrate(db, [first, second, third]);
      await db.run("DELETE FROM schema_migrations WHERE version = 2");
    });
    const error = await refuses("MIGRATION_MISSING", [first, second, third]);
    expect(error.message).toContain("V002__m2");
  });

  it("refuses a database newer than itself, whatever else has changed", async () => {
    await withFile((db) => migrate(db, [first, second, third]));
    await refuses("SCHEMA_TOO_NEW", [first, second]);
    await refuses("SCHEMA_TOO_NEW", [migration(1, "CREATE TABLE other (v)")]);
    await refuses("SCHEMA_TOO_NEW", []);
  });

  it("refuses a database of somebody else, in the journal mode it came in", async () => {
    const foreign = new DatabaseSync(path);
    foreign.exec("CREATE TABLE theirs (v); INSERT INTO theirs VALUES (1)");
    foreign.close();
    await refuses("BAD_FORMAT", [first]);
    const similar = new DatabaseSync(path);
    similar.exec("CREATE TABLE schema_migrations (id TEXT)");
    similar.close();
    await refuses("BAD_FORMAT", [first]);
  });

  it("refuses a newer database that is not in WAL mode without turning it", async () => {
    await withFile((db) => migrate(db, [first, second]));
    const restored = new DatabaseSync(path);
    restored.exec("PRAGMA journal_mode = delete");
    restored.close();
    await refuses("SCHEMA_TOO_NEW", [first]);
  });

  it("refuses a bundle with a gap", async () => {
    await withFile(async (db) => {
      await expect(migrate(db, [first, third])).rejects.toMatchObject({ code: "INVALID_INPUT" });
      expect(await tables(db)).toEqual([]);
    });
  });

  it("lets two connections migrate one file at the same time", async () => {
    const open = (): Promise<SqlDatabase> => openSqlNode({ path, functions: {} });
    const [one, two] = [await open(), await open()];
    const reports = await Promise.all([migrate(one, [first, second]), migrate(two, [first, second])]);
    expect(reports.map(({ applied }) => applied.length).toSorted((a, b) => a - b)).toEqual([0, 2]);
    await one.close();
    await two.close();
  });

  it("applies the package's own migrations, whose triggers call the store's functions", async () => {
    const functions = { lodestore_terms: () => "terms", lodestore_forms: () => "forms" };
    const db = await openSqlMemory({ functions });
    const report = await migrate(db);
    expect(report.version).toBe(migrations.length);
    expect(report.applied).toEqual(migrations.map(({ name }) => name));
    expect(report.applied.slice(0, 5)).toEqual([
      "V001__init",
      "V002__full_text",
      "V003__embedding_status",
      "V004__kv",
      "V005__chat",
    ]);
    expect(await db.get("SELECT value FROM kv WHERE key = 'corpus_revision'")).toEqual({ value: "0" });
    await db.close();
  });
});
