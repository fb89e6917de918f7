import { MAX_PUT } from "../contracts/check-embeddings.ts";
import type { DocumentStore } from "../contracts/documents.ts";
import type { ChunkVector, PutGeneration, PutReport } from "../contracts/embeddings.ts";
import type { Store } from "../contracts/store.ts";
import { requireList } from "../contracts/validate.ts";
import { transfer } from "./transfer.ts";

/** Calls that carry much, as a thread of a store takes them: sent at one go, as the others are, they would keep the caller's event loop. */
export interface HeavyCalls {
  /** `Embeddings.put`, with its records one after the other. */
  put(
    generation: PutGeneration,
    records: AsyncIterable<ChunkVector> | Iterable<ChunkVector>,
    options?: { signal?: AbortSignal },
  ): Promise<PutReport>;
  /** `DocumentStore.getAssetBytes`; the bytes are moved. */
  assetBytes(...args: Parameters<DocumentStore["getAssetBytes"]>): Promise<Uint8Array>;
}

/** Returns them over a store of this thread. */
export function heavyCalls(store: Store): HeavyCalls {
  return {
    put: async (generation, records, options) => {
      const all: ChunkVector[] = [];
      const signal: unknown = options?.signal;
      for await (const record of records) {
        // What there is goes on to the store, which refuses to write any of it then.
        if (signal instanceof AbortSignal && signal.aborted) break;
        all.push(record);
      }
      // All of them, for the store checks all before it writes the first.
      return store.embeddings.put(generation, all, options);
    },
    assetBytes: async (...args) => {
      const bytes = await store.documents.getAssetBytes(...args);
      const { buffer } = bytes;
      return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength
        ? transfer(bytes, [buffer])
        : bytes;
    },
  };
}

/** Records as they are sent one after the other: those of the list as it is now.
 *  @throws StorageError INVALID_INPUT no list, or too long a one */
export function sendableVectors(records: unknown): Iterable<ChunkVector> {
  const site = { capability: "embeddings", operation: "put" } as const;
  return each([...(requireList(site, "records", records, 0, MAX_PUT) as readonly ChunkVector[])]);
}

function* each(records: readonly ChunkVector[]): Generator<ChunkVector, void, undefined> {
  for (const record of records) yield alone(record);
}

/** A view is cloned with all of its buffer, so one of a larger buffer is cut out. */
function alone(record: ChunkVector): ChunkVector {
  const vector: unknown = (record as ChunkVector | null)?.vector;
  if (!(vector instanceof Float32Array) || vector.byteLength === vector.buffer.byteLength) return record;
  return { ...record, vector: vector.slice() };
}
