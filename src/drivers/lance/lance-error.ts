import { StorageError, type StorageErrorCode } from "../../errors.ts";

/** Where something of Lance failed. */
export interface LancePlace {
  operation: string;
  /** The table, or the folder where it is about none. */
  what: string;
}

interface Kind {
  /** In what Lance says, as its versions so far say it: it has no codes. */
  pattern: RegExp;
  code: StorageErrorCode;
  means: (what: string) => string;
}

/** The first that matches counts. */
const KINDS: readonly Kind[] = [
  {
    pattern: /os error 28\b|os error 122\b|no space left|disk quota/iu,
    code: "QUOTA_EXCEEDED",
    means: (what) => `no space is left for ${what}; nothing that was written before is lost`,
  },
  {
    pattern:
      /os error 30\b|os error 13\b|os error 1\b|read-only file system|permission denied|operation not permitted/iu,
    code: "UNSUPPORTED",
    means: (what) => `${what} is where this process may not write, or not read`,
  },
  {
    pattern:
      /feature flags?|not supported by this version|newer version|unsupported (?:file|manifest|data storage)|upgrade/iu,
    code: "SCHEMA_TOO_NEW",
    means: (what) => `${what} was written by a newer version of Lance than the one that is installed`,
  },
  {
    pattern: /commit conflict|too many concurrent writers|concurrent (?:commit|transaction)|retryable/iu,
    code: "TIMEOUT",
    means: (what) => `${what} was written by others again and again meanwhile`,
  },
  {
    pattern: /was not found|not found|no such file|os error 2\b/iu,
    code: "CORRUPT",
    means: (what) => `${what} lacks files that it had: they were deleted by something else. ${REMEDY}`,
  },
  {
    pattern:
      /corrupt|magic|does not appear to be|too small|fill whole buffer|not a directory|is a directory|malformed|unexpected (?:end|eof)|decode|checksum|invalid range/iu,
    code: "CORRUPT",
    means: (what) => `files of ${what} are damaged. ${REMEDY}`,
  },
];

/** How vectors that are gone come back. */
export const REMEDY =
  "Texts and search by words are whole; store.repair() (lodestore doctor --fix) moves what is left of the table aside, and embeddings.run() (lodestore embed) makes its vectors anew";

/** How messages name a table. */
export function named({ tableName }: { tableName: string }): string {
  return `the Lance table "${tableName}"`;
}

/** The error of a table that the database knows and its folder has not. */
export function deletedTable(table: { tableName: string }, operation: string): StorageError {
  return new StorageError("CORRUPT", `${named(table)} is not in its folder any more. ${REMEDY}`, {
    capability: "vectors",
    operation,
  });
}

/** Returns what Lance threw as an error of the store. */
export function lanceError(cause: unknown, { operation, what }: LancePlace): StorageError {
  if (cause instanceof StorageError) return cause;
  const said = cause instanceof Error ? cause.message : String(cause);
  const kind = KINDS.find(({ pattern }) => pattern.test(said));
  const context = { capability: "vectors", operation, cause } as const;
  if (kind === undefined) return new StorageError("DRIVER", `Lance failed at ${what}: ${firstLine(said)}`, context);
  return new StorageError(kind.code, `${kind.means(what)}: ${firstLine(said)}`, context);
}

/** Runs work of Lance; what it throws is an error of the store. */
export async function guarded<T>(place: LancePlace, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw lanceError(cause, place);
  }
}

/** So many times work is begun anew that writes of others undid. */
const MOST_TRIES = 5;

/** Runs work of Lance as {@link guarded} does, and once more where others wrote in between. */
export async function persistently<T>(place: LancePlace, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await guarded(place, work);
    } catch (error) {
      if (tries === MOST_TRIES || !(error instanceof StorageError) || error.code !== "TIMEOUT") throw error;
    }
  }
}

function firstLine(text: string): string {
  const line = text.split("\n", 1)[0] ?? "";
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
