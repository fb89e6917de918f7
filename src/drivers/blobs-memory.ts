import type { BlobCapabilities, BlobReadOptions, BlobWriter, StreamingBlobStore } from "../contracts/blobs.ts";
import { checkBlobRead, requireBlobBytes, requireBlobKey, requireBlobPrefix } from "../contracts/check-blobs.ts";
import { AsideWriter } from "./blobs/aside-writer.ts";
import { putStream } from "./blobs/put-stream.ts";
import { noBlob, readPieces } from "./blobs/read-pieces.ts";

const MAX_BLOB_BYTES: number = 512 * 1024 * 1024;

/** Blobs in a map, for tests and for what need not outlive its process. */
export class MemoryBlobStore implements StreamingBlobStore {
  readonly #blobs = new Map<string, Uint8Array>();

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const site = { capability: "blobs", operation: "put" } as const;
    requireBlobKey(site, key);
    this.#blobs.set(key, new Uint8Array(requireBlobBytes(site, bytes, MAX_BLOB_BYTES)));
  }

  async get(key: string): Promise<Uint8Array> {
    requireBlobKey({ capability: "blobs", operation: "get" }, key);
    const bytes = this.#blobs.get(key);
    if (bytes === undefined) throw noBlob("get", key);
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

  async createWriter(): Promise<BlobWriter> {
    let pieces: Uint8Array[] = [];
    return new AsideWriter(
      {
        append: async (bytes) => void pieces.push(new Uint8Array(bytes)),
        become: async (key, sizeBytes) => {
          const whole = new Uint8Array(sizeBytes);
          let at = 0;
          for (const piece of pieces) {
            whole.set(piece, at);
            at += piece.byteLength;
          }
          pieces = [];
          this.#blobs.set(key, whole);
        },
        drop: async () => {
          pieces = [];
        },
      },
      MAX_BLOB_BYTES,
    );
  }

  putStream(key: string, bytes: AsyncIterable<Uint8Array>, options?: { signal?: AbortSignal }): Promise<number> {
    return putStream(() => this.createWriter(), key, bytes, options);
  }

  async *getStream(key: string, options: BlobReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const site = { capability: "blobs", operation: "getStream" } as const;
    requireBlobKey(site, key);
    const range = checkBlobRead(site, options);
    const bytes = this.#blobs.get(key);
    if (bytes === undefined) throw noBlob("getStream", key);
    yield* readPieces(range, bytes.byteLength, async (at, length) => bytes.slice(at, at + length));
  }

  async sizeOf(key: string): Promise<number | undefined> {
    requireBlobKey({ capability: "blobs", operation: "sizeOf" }, key);
    return this.#blobs.get(key)?.byteLength;
  }

  async capabilities(): Promise<BlobCapabilities> {
    return {
      driver: "blobs-memory",
      persistent: false,
      transactional: false,
      maxBlobBytes: MAX_BLOB_BYTES,
      streaming: true,
      maxStreamBytes: MAX_BLOB_BYTES,
    };
  }
}
