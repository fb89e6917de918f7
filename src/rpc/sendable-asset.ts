import type { AssetSource } from "../contracts/assets.ts";
import type { DocumentStore } from "../contracts/documents.ts";
import { streamPieces } from "../contracts/stream-pieces.ts";
import { transfer } from "./transfer.ts";

/** Largest piece that is sent: few of them are on their way at a time. */
const PIECE_BYTES: number = 1024 * 1024;

/** Returns the document store at the other end, with what cannot cross as it is made to: bytes of an asset that come as a stream.
 *  @param getAssetStream Hands out a stream, where that takes more than asking for it. */
export function sendingAssets(
  documents: DocumentStore,
  getAssetStream?: DocumentStore["getAssetStream"],
): DocumentStore {
  const putAssetWithBytes: DocumentStore["putAssetWithBytes"] = async (asset, options) =>
    documents.putAssetWithBytes(sendableAsset(asset), options);
  return new Proxy(documents, {
    get: (target, name) => {
      if (name === "putAssetWithBytes") return putAssetWithBytes;
      if (name === "getAssetStream" && getAssetStream !== undefined) return getAssetStream;
      return Reflect.get(target, name) as unknown;
    },
  });
}

/** An asset as it crosses. A blob is read over there, where it can be sent; a stream cannot be sent by every browser, but what it hands out
 *  can. What is neither is refused over there. */
function sendableAsset<Asset extends { bytes: AssetSource }>(asset: Asset): Asset {
  const bytes: unknown = (asset as { bytes?: unknown } | null | undefined)?.bytes;
  if (bytes instanceof Uint8Array || (bytes instanceof Blob && isSendable(bytes))) return asset;
  const stream = streamPieces(bytes);
  return stream === undefined ? asset : { ...asset, bytes: smallPieces(stream) };
}

/** Node cannot send blobs of files. */
function isSendable(blob: Blob): boolean {
  try {
    structuredClone(blob);
    return true;
  } catch {
    return false;
  }
}

/** Copies, for pieces are sent ahead of their use, and whoever hands them out may use the buffer again. No generator: that would pass the
 *  end on only when the source has answered, and a source may hang. */
function smallPieces(stream: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => {
      const pieces = stream[Symbol.asyncIterator]();
      let rest: Uint8Array = new Uint8Array();
      return {
        next: async () => {
          if (rest.byteLength === 0) {
            const result = await pieces.next();
            // What is no bytes is refused over there.
            if (result.done === true || !(result.value instanceof Uint8Array)) return result;
            rest = result.value;
          }
          const value = new Uint8Array(rest.subarray(0, PIECE_BYTES));
          rest = rest.subarray(value.byteLength);
          return { done: false, value: transfer(value, [value.buffer]) };
        },
        return: async () => {
          await pieces.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
