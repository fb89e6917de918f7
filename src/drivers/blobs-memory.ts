import type { BlobCapabilities, BlobStore } from "../contracts/blobs.ts";
import { requireBlobBytes, requireBlobKey, requireBlobPrefix } from "../contracts/check-blobs.ts";
import { StorageError } from "../errors.ts";

const MAX_BLOB_BYTES: number = 512 * 1024 * 1024;

/** Blobs in a map, for tests and for what need not outlive its process. */
export class MemoryBlobStore implements BlobStore {
  readonly #blobs = new Map<string, Uint8Array>();

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const site = { capability: "blobs", operation: "put" } as const;
    requireBlobKey(site, key);
    this.#blobs.set(key, new Uint8Array(requireBlobBytes(site, bytes, MAX_BLOB_BYTES)));
  }

  async get(key: string): Promise<Uint8Array> {
    requireBlobKey({ capability: "blobs", operation: "get" }, key);
    const bytes = this.#blobs.get(key);
    if (bytes === undefined) {
      throw new StorageError("NOT_FOUND", `there is no blob "${key}"`, { capability: "blobs", operation: "get" });
    }
    return new Uint8Array(bytes);
  }

  async has(key: string): Promise<boolean> {
    requireBlobKey({ capability: "blobs", operation: "has" }, key);
    return this.#blobs.has(key);
  }

  async delete(key: string): Promise<void> {
    requireBlobKey({ capability: "blobs", operation: "delete" }, key);
    this.#blobs.delete(key);
  }

  async list(prefix: string): Promise<string[]> {
    requireBlobPrefix({ capability: "blobs", operation: "list" }, prefix);
    return [...this.#blobs.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  async capabilities(): Promise<BlobCapabilities> {
    return { driver: "blobs-memory", persistent: false, transactional: false, maxBlobBytes: MAX_BLOB_BYTES };
  }
}
