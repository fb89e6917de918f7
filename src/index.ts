export { StorageError } from "./errors.ts";
export type { StorageCapability, StorageErrorCode, StorageErrorContext } from "./errors.ts";
export type * from "./contracts/blobs.ts";
export type * from "./contracts/documents.ts";
export type * from "./contracts/embedder.ts";
export type * from "./contracts/search.ts";
export type * from "./contracts/sql.ts";
export type * from "./contracts/store.ts";
