import { StorageError, type StorageErrorCode } from "../errors.ts";
import type { AppliedMigration, Migration } from "./migration.ts";

/** Compares what a database has with what this release brings.
 *  @param applied in ascending order
 *  @returns the migrations still to be applied, in order
 *  @throws StorageError SCHEMA_TOO_NEW, MIGRATION_CHANGED, MIGRATION_MISSING; see `migrate` */
export function pendingMigrations(bundle: readonly Migration[], applied: readonly AppliedMigration[]): Migration[] {
  checkBundle(bundle);
  const newest = applied.at(-1);
  if (newest !== undefined && newest.version > bundle.length) {
    refuse("SCHEMA_TOO_NEW", `the database is at ${newest.name}, newer than this release knows (${endOf(bundle)})`);
  }
  for (const { version, name, sha256 } of applied) {
    const known = bundle[version - 1];
    if (known === undefined) {
      refuse("MIGRATION_MISSING", `the database has ${name}, which this release does not know`);
    }
    if (known.sha256 !== sha256 || known.name !== name) {
      refuse("MIGRATION_CHANGED", `${name} is not what it was when it was applied: migrations are never edited`);
    }
  }
  const have = new Set(applied.map(({ version }) => version));
  const pending = bundle.filter(({ version }) => !have.has(version));
  const late = pending[0];
  if (late !== undefined && newest !== undefined && late.version < newest.version) {
    refuse("MIGRATION_MISSING", `the database lacks ${late.name}, though the newer ${newest.name} is applied`);
  }
  return pending;
}

function checkBundle(bundle: readonly Migration[]): void {
  for (const [index, { version, name }] of bundle.entries()) {
    if (version !== index + 1) {
      refuse("INVALID_INPUT", `the bundle's migrations must be numbered 1, 2, …; ${name} is number ${index + 1}`);
    }
  }
}

function endOf(bundle: readonly Migration[]): string {
  return bundle.at(-1)?.name ?? "no migrations";
}

function refuse(code: StorageErrorCode, message: string): never {
  throw new StorageError(code, message, { capability: "migrations", operation: "migrate" });
}
