import type { BlobReadOptions, BlobWriter, StreamingBlobStore } from "../../src/contracts/blobs.ts";

/** A blob store each of whose steps waits for `step` before and after it: what comes between is up to the test. */
export function haltingBlobs(blobs: StreamingBlobStore, step: (name: string) => Promise<void>): StreamingBlobStore {
  async function halting<T>(name: string, work: () => Promise<T>): Promise<T> {
    await step(`before ${name}`);
    const result = await work();
    await step(`after ${name}`);
    return result;
  }
  return {
    put: (key, bytes) => halting("put", () => blobs.put(key, bytes)),
    get: (key) => halting("get", () => blobs.get(key)),
    has: (key) => halting("has", () => blobs.has(key)),
    delete: (key) => halting("delete", () => blobs.delete(key)),
    list: (prefix) => halting("list", () => blobs.list(prefix)),
    sizeOf: (key) => halting("sizeOf", () => blobs.sizeOf(key)),
    capabilities: () => blobs.capabilities(),
    createWriter: async (): Promise<BlobWriter> => {
      const writer = await halting("createWriter", () => blobs.createWriter());
      return {
        write: (bytes) => halting("write", () => writer.write(bytes)),
        commit: (key) => halting("commit", () => writer.commit(key)),
        abort: () => halting("abort", () => writer.abort()),
      };
    },
    putStream: (key, bytes, options) => halting("putStream", () => blobs.putStream(key, bytes, options)),
    getStream: (key: string, options?: BlobReadOptions) => blobs.getStream(key, options),
  };
}
