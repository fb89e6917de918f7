import { StorageError, type StorageErrorCode } from "../errors.ts";

/** An error of the boundary itself. */
export function rpcError(code: StorageErrorCode, operation: string, message: string, cause?: unknown): StorageError {
  return new StorageError(code, message, { capability: "rpc", operation, cause });
}
