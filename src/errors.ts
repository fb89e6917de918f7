/** The error codes of the store. Codes are part of the API and do not change; messages may. */
export type StorageErrorCode =
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "CONFLICT"
  | "INVALID_INPUT"
  | "UNSUPPORTED"
  | "POOL"
  | "TIMEOUT"
  | "TRANSACTION"
  | "SERIALIZATION"
  | "INDEX_MAINTENANCE"
  | "DRIVER"
  | "BAD_FORMAT"
  | "CORRUPT"
  | "CLOSED"
  | "ABORTED"
  | "QUOTA_EXCEEDED"
  | "SCHEMA_TOO_NEW"
  | "MIGRATION_CHANGED"
  | "MIGRATION_MISSING"
  | "MIGRATION_FAILED"
  | "OWNER_LOST"
  | "OWNER_CHANGED";

/** The surface of the store that an error comes from. */
export type StorageCapability =
  | "store"
  | "archive"
  | "sql"
  | "migrations"
  | "blobs"
  | "documents"
  | "ingest"
  | "search"
  | "vectors"
  | "embedder"
  | "embeddings"
  | "jobs"
  | "chat"
  | "answers"
  | "evaluations"
  | "rpc";

/** Where an error was raised and what caused it. */
export interface StorageErrorContext {
  capability: StorageCapability;
  /** The method or step that failed, as the caller knows it: `search`, `transaction`, `V003`. */
  operation: string;
  cause?: unknown;
}

const RETRYABLE: ReadonlySet<StorageErrorCode> = new Set<StorageErrorCode>([
  "POOL",
  "TIMEOUT",
  "TRANSACTION",
  "OWNER_CHANGED",
]);

/**
 * The one error class of the store.
 *
 * `code` says what happened, `capability` and `operation` where, `retryable` whether the same call may succeed
 * when made again (POOL, TIMEOUT, TRANSACTION, OWNER_CHANGED), `cause` keeps what the platform or driver threw.
 * All of them survive the worker boundary.
 *
 * @example
 *   try { await store.search({ text: "", k: 0 }) }
 *   catch (error) { if (error instanceof StorageError && error.code === "INVALID_INPUT") show(error.message) }
 */
export class StorageError extends Error {
  readonly code: StorageErrorCode;
  readonly capability: StorageCapability;
  readonly operation: string;
  readonly retryable: boolean;

  constructor(code: StorageErrorCode, message: string, context: StorageErrorContext) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = "StorageError";
    this.code = code;
    this.capability = context.capability;
    this.operation = context.operation;
    this.retryable = RETRYABLE.has(code);
  }
}
