import { StorageError, type StorageErrorCode } from "../../errors.ts";
import type { SqlEngineFailure } from "./engine.ts";

/** SQLite's primary result codes, as far as they are told apart here.
 *  @see https://www.sqlite.org/rescode.html */
const SQLITE = {
  ABORT: 4,
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  INTERRUPT: 9,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  TOOBIG: 18,
  CONSTRAINT: 19,
  MISMATCH: 20,
  RANGE: 25,
  NOTADB: 26,
} as const;

const CODES: Readonly<Record<number, StorageErrorCode>> = {
  [SQLITE.ABORT]: "TRANSACTION",
  [SQLITE.BUSY]: "TIMEOUT",
  [SQLITE.LOCKED]: "TIMEOUT",
  [SQLITE.READONLY]: "UNSUPPORTED",
  [SQLITE.INTERRUPT]: "ABORTED",
  [SQLITE.CORRUPT]: "CORRUPT",
  [SQLITE.FULL]: "QUOTA_EXCEEDED",
  [SQLITE.TOOBIG]: "INVALID_INPUT",
  [SQLITE.CONSTRAINT]: "CONFLICT",
  [SQLITE.MISMATCH]: "INVALID_INPUT",
  [SQLITE.RANGE]: "INVALID_INPUT",
  [SQLITE.NOTADB]: "CORRUPT",
};

/** The store's code for a SQLite result code, extended or primary; DRIVER for those without one of their own. */
export function storageErrorCode(resultCode: number): StorageErrorCode {
  return CODES[resultCode & 0xff] ?? "DRIVER";
}

export const SQLITE_FULL: number = SQLITE.FULL;

export function isIoError(resultCode: number): boolean {
  return (resultCode & 0xff) === SQLITE.IOERR || isCannotOpen(resultCode);
}

/** Whether somebody else has the lock. */
export function isBusy(resultCode: number): boolean {
  return (resultCode & 0xff) === SQLITE.BUSY;
}

/** Whether something would have to be written that cannot be. */
export function isReadOnly(resultCode: number): boolean {
  return (resultCode & 0xff) === SQLITE.READONLY;
}

export function isCannotOpen(resultCode: number): boolean {
  return (resultCode & 0xff) === SQLITE.CANTOPEN;
}

const QUOTED_SQL_LENGTH = 160;

/** A driver failure as `StorageError`: SQLite's own message, the start of the statement, the cause. */
export function sqlError(
  failure: SqlEngineFailure,
  operation: string,
  sql: string | undefined,
  cause: unknown,
): StorageError {
  const message = sql === undefined ? failure.message : `${failure.message} (in: ${excerpt(sql)})`;
  return new StorageError(storageErrorCode(failure.code), message, {
    capability: "sql",
    operation,
    cause,
  });
}

function excerpt(sql: string): string {
  const line = sql.replaceAll(/\s+/g, " ").trim();
  return line.length <= QUOTED_SQL_LENGTH ? line : `${line.slice(0, QUOTED_SQL_LENGTH)}…`;
}
