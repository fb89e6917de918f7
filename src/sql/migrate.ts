import { splitSqlScript } from "../contracts/sql-text.ts";
import type { SqlDatabase, SqlExecutor, SqlTransaction } from "../contracts/sql.ts";
import { StorageError } from "../errors.ts";
import { pendingMigrations } from "./check-migrations.ts";
import type { AppliedMigration, Migration } from "./migration.ts";
import { migrations } from "./migrations.generated.ts";

/** What `migrate` did. */
export interface MigrationReport {
  /** Names of the migrations applied now, in order; empty where there was nothing to do. */
  applied: string[];
  /** Version the database is at. */
  version: number;
}

const TABLE = "schema_migrations";
const COLUMNS = ["version", "name", "sha256", "applied_at"];

/**
 * Brings a database to the newest schema. All pending migrations are applied in one transaction: all or none.
 *
 * Everything is checked before anything is written; a refused database is left as it was, byte for byte. When two
 * processes migrate one database, the second finds nothing left to do.
 * @param bundle The migrations of this release, by default the package's own; numbered 1, 2, … without gaps.
 * @throws StorageError
 *  - BAD_FORMAT: the database has tables but is not a store
 *  - SCHEMA_TOO_NEW: it has a migration with a higher number than this release knows
 *  - MIGRATION_CHANGED: an applied migration has another name or checksum in this release
 *  - MIGRATION_MISSING: an applied migration is not in this release, or (out of order) a migration of this release is
 *    not applied although a newer one is
 *  - MIGRATION_FAILED: a migration did not run; `operation` names it and `cause` is the failure
 */
export async function migrate(
  db: SqlDatabase,
  bundle: readonly Migration[] = migrations,
  between: () => Promise<void> = async () => {},
): Promise<MigrationReport> {
  const version = bundle.length;
  if (pendingMigrations(bundle, await appliedMigrations(db)).length === 0) return { applied: [], version };
  return await db.transaction(async (tx) => {
    const applied: string[] = [];
    // Read again, now that nobody else can write.
    for (const migration of pendingMigrations(bundle, await appliedMigrations(tx))) {
      await between();
      await apply(tx, migration);
      applied.push(migration.name);
    }
    return { applied, version };
  });
}

/** Sees that a database which is only read has the newest schema.
 *  @throws StorageError UNSUPPORTED (it would have to be migrated), and as `migrate` */
export async function requireMigrated(db: SqlDatabase, bundle: readonly Migration[] = migrations): Promise<void> {
  const applied = await appliedMigrations(db);
  const [next] = pendingMigrations(bundle, applied);
  if (next === undefined) return;
  const newest = applied.at(-1);
  const stands = newest === undefined ? "empty" : `at ${newest.name}`;
  throw new StorageError(
    "UNSUPPORTED",
    `the database is ${stands}, and ${next.name} would have to be applied, which reading only cannot do: open it for writing once`,
    { capability: "migrations", operation: "open" },
  );
}

async function appliedMigrations(db: SqlExecutor): Promise<AppliedMigration[]> {
  const objects = await db.all<{ name: string }>("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')");
  if (objects.length === 0) return [];
  const columns = await db.all<{ name: string }>(`SELECT name FROM pragma_table_info('${TABLE}')`);
  if (!COLUMNS.every((column) => columns.some(({ name }) => name === column))) {
    throw new StorageError("BAD_FORMAT", `the database has tables, but no ${TABLE}: it is not a lodestore database`, {
      capability: "migrations",
      operation: "migrate",
    });
  }
  return await db.all<AppliedMigration>(`SELECT version, name, sha256 FROM ${TABLE} ORDER BY version`);
}

async function apply(tx: SqlTransaction, { version, name, sha256, sql }: Migration): Promise<void> {
  try {
    if (version === 1) {
      await tx.run(
        `CREATE TABLE ${TABLE} (
           version INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at INTEGER NOT NULL)`,
      );
    }
    for (const statement of splitSqlScript(sql)) await tx.run(statement);
    await tx.run(`INSERT INTO ${TABLE} (version, name, sha256, applied_at) VALUES ($1, $2, $3, $4)`, [
      version,
      name,
      sha256,
      Date.now(),
    ]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StorageError("MIGRATION_FAILED", `${name} failed, nothing was changed: ${reason}`, {
      capability: "migrations",
      operation: name,
      cause: error,
    });
  }
}
