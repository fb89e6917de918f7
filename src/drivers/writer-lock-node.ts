import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StorageError } from "../errors.ts";
import { isBusy } from "./sql/result-codes.ts";

/** Name of the file in a store's folder whose lock the one writer holds. */
const LOCK_FILE = "writer.lock";
/** Two that come at the same moment wait this long for each other, so that one of them gets it. */
const WAIT_MS = 100;

const OPEN = { capability: "store", operation: "open" } as const;

/** The right to write to a store's folder. */
export interface WriterLock {
  release(): void;
}

/**
 * Takes the one right to write to the store in a folder: an exclusive transaction on a SQLite file of its own, which the system ends
 * with the process, however that ends. The file stays, and says nothing.
 *
 * @throws StorageError CONFLICT (another thread or process has it), DRIVER (the folder cannot be written)
 */
export function takeWriterLock(dir: string): WriterLock {
  const path = join(dir, LOCK_FILE);
  let file: DatabaseSync | undefined;
  try {
    file = new DatabaseSync(path);
    file.exec(`PRAGMA busy_timeout = ${WAIT_MS}; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE`);
  } catch (cause) {
    file?.close();
    throw lockError(dir, path, cause);
  }
  const held = file;
  return {
    release: () => {
      if (held.isOpen) held.close();
    },
  };
}

function lockError(dir: string, path: string, cause: unknown): StorageError {
  const code = cause instanceof Error && "errcode" in cause ? Number(cause.errcode) : 0;
  if (isBusy(code)) {
    return new StorageError(
      "CONFLICT",
      `the store in ${dir} is open for writing already, here or in another process: one at a time writes; readOnly: true opens it beside that`,
      { ...OPEN, cause },
    );
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  const hint = existsSync(path) ? "" : "; a folder that cannot be written opens with readOnly: true";
  return new StorageError("DRIVER", `cannot lock ${path} for writing: ${reason}${hint}`, { ...OPEN, cause });
}
