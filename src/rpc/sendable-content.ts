import { copyInPieces, encodeInPieces, joinInPieces, PIECE } from "./in-pieces.ts";
import { transfer } from "./transfer.ts";

/** What stands for the content of a file while it crosses to a worker. A large one is no part of the message, which would be copied at one
 *  go: it is read when its turn comes, copied or encoded piece by piece, and the copy is moved. */
export function sendableContent(content: unknown): unknown {
  if (typeof content === "string") {
    return content.length <= PIECE ? content : async () => moved(await encodeInPieces(content));
  }
  if (!(content instanceof Uint8Array)) return content;
  if (content.byteLength > PIECE) return () => movedCopy(content);
  // A view is cloned with all of its buffer.
  return content.byteLength < content.buffer.byteLength ? new Uint8Array(content) : content;
}

/** What a function read for the worker: a large piece as a copy that is moved, for the bytes are those of the caller. */
export async function sendableBytes(read: unknown): Promise<unknown> {
  return read instanceof Uint8Array && read.byteLength > PIECE ? movedCopy(read) : read;
}

/** The bytes of a blob that cannot be sent. */
export async function blobBytes(blob: Blob): Promise<Uint8Array> {
  return moved(await joinInPieces(blobPieces(blob)));
}

/** Not every browser iterates streams, and not every stream reads in pieces as small. */
async function* blobPieces(blob: Blob): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < blob.size; at += PIECE) yield new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer());
}

async function movedCopy(bytes: Uint8Array): Promise<Uint8Array> {
  return moved(await copyInPieces(bytes));
}

function moved(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  return transfer(bytes, [bytes.buffer]);
}
