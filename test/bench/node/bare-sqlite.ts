import { createRequire } from "node:module";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { BenchContext } from "../report.ts";

/** A statement as a program runs it. */
export type BareStatement = (...values: SQLInputValue[]) => unknown;

/** One SQLite file, with nothing between the program and the library. */
export interface BareSqlite {
  exec(script: string): void;
  /** Prepares a statement with parameters `?1`, `?2`, …; rows are returned for what reads. */
  prepare(sql: string): BareStatement;
  function(name: string, body: (...args: SQLInputValue[]) => SQLInputValue): void;
  close(): void;
}

export interface BareLibrary {
  name: string;
  open(path: string): BareSqlite;
}

/** The part of better-sqlite3 that is used. */
interface BetterSqlite {
  exec(script: string): void;
  prepare(sql: string): { reader: boolean; all(values: object): unknown[]; run(values: object): unknown };
  function(name: string, options: object, body: (...args: SQLInputValue[]) => SQLInputValue): void;
  close(): void;
}

/** better-sqlite3 from the peers, or node:sqlite itself, and said so, where it is not installed. */
export function bareLibrary(context: BenchContext): BareLibrary {
  try {
    const load = createRequire(new URL("../peers/package.json", import.meta.url));
    const Database = load("better-sqlite3") as new (path: string) => BetterSqlite;
    const { version } = load("better-sqlite3/package.json") as { version: string };
    new Database(":memory:").close();
    return { name: `better-sqlite3 ${version}`, open: (path) => overBetterSqlite(new Database(path)) };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    context.progress(`suite node: the bare program uses node:sqlite, for better-sqlite3 is not there (${reason})`);
    return { name: "node:sqlite", open: (path) => overNodeSqlite(new DatabaseSync(path)) };
  }
}

function overBetterSqlite(db: BetterSqlite): BareSqlite {
  return {
    exec: (script) => db.exec(script),
    prepare: (sql) => {
      const statement = db.prepare(sql);
      return (...values) => {
        const named = numbered(values);
        return statement.reader ? statement.all(named) : statement.run(named);
      };
    },
    function: (name, body) => db.function(name, { deterministic: true, varargs: true }, body),
    close: () => db.close(),
  };
}

function overNodeSqlite(db: DatabaseSync): BareSqlite {
  return {
    exec: (script) => db.exec(script),
    prepare: (sql) => {
      const statement = db.prepare(sql);
      statement.setAllowUnknownNamedParameters(true);
      return (...values) => {
        const named = Object.fromEntries(values.map((value, at) => [`?${at + 1}`, value]));
        return statement.all(named);
      };
    },
    function: (name, body) => db.function(name, { deterministic: true, varargs: true }, body),
    close: () => db.close(),
  };
}

/** better-sqlite3 knows the parameter `?3` by the name 3. */
function numbered(values: readonly SQLInputValue[]): Record<string, SQLInputValue> {
  return Object.fromEntries(values.map((value, at) => [String(at + 1), value]));
}
