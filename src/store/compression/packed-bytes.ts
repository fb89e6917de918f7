import { StorageError } from "../../errors.ts";
import { isCompressedMedia } from "./compressed-media.ts";
import { throughStream } from "./through-stream.ts";

/** How bytes are kept: as they are, or as a gzip member (RFC 1952), whose CRC-32 finds damage that inflates all the same. */
export type ByteCodec = "none" | "gzip";

/** Bytes as they are kept. */
export interface PackedBytes {
  codec: ByteCodec;
  bytes: Uint8Array;
  /** Length of the bytes themselves. */
  byteLength: number;
}

/** Packed bytes are kept where they are at most this share of the others. */
const MOST_SHARE = 0.9;
/** Fewer bytes than this are not worth a header of 18. */
const LEAST_BYTES = 128;
/** Of more bytes than this a sample is packed first. */
const SAMPLED_FROM = 256 * 1024;
const SAMPLES = 4;
const SAMPLE_BYTES = 16 * 1024;
const PACK_SLICE = 64 * 1024;
/** DEFLATE makes at most 1,032 bytes of one: so much more than allowed a platform may hold before it is stopped. */
const UNPACK_SLICE = 4 * 1024;

/** Packs bytes where that saves a tenth of them; else, and where the platform has no `CompressionStream`, they are kept as they are. */
export async function packBytes(bytes: Uint8Array, mediaType: string): Promise<PackedBytes> {
  const { byteLength } = bytes;
  const plain: PackedBytes = { codec: "none", bytes, byteLength };
  if (byteLength < LEAST_BYTES || isCompressedMedia(mediaType) || !canPack()) return plain;
  if (byteLength > SAMPLED_FROM && (await gzipped(sampleOf(bytes))) === undefined) return plain;
  const packed = await gzipped(bytes);
  return packed === undefined ? plain : { codec: "gzip", bytes: packed, byteLength };
}

/** Returns the bytes that were packed. What is packed may come from a file that somebody made: no more is unpacked than they were long.
 *  @throws StorageError CORRUPT (not what was packed), UNSUPPORTED (no `DecompressionStream`) */
export async function unpackBytes({ codec, bytes, byteLength }: PackedBytes, what: string): Promise<Uint8Array> {
  if (codec === "none") {
    if (bytes.byteLength === byteLength) return bytes;
    throw failure("CORRUPT", `${what} are ${bytes.byteLength} bytes, not ${byteLength}`);
  }
  if (codec !== "gzip") throw failure("CORRUPT", `${what} are packed in no known way: ${JSON.stringify(codec)}`);
  if (!canPack()) throw failure("UNSUPPORTED", `${what} are packed, and the platform has no DecompressionStream`);
  let unpacked: Uint8Array | undefined;
  try {
    unpacked = await throughStream(new DecompressionStream("gzip"), bytes, UNPACK_SLICE, byteLength);
  } catch (cause) {
    throw failure("CORRUPT", `${what} cannot be unpacked`, cause);
  }
  if (unpacked?.byteLength === byteLength) return unpacked;
  const found = unpacked === undefined ? "more" : `${unpacked.byteLength} bytes`;
  throw failure("CORRUPT", `${what} unpack to ${found}, not to ${byteLength} bytes`);
}

function canPack(): boolean {
  return typeof CompressionStream === "function" && typeof DecompressionStream === "function";
}

/** Returns undefined as soon as that does not pay. */
function gzipped(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  return throughStream(new CompressionStream("gzip"), bytes, PACK_SLICE, Math.floor(bytes.byteLength * MOST_SHARE));
}

/** Pieces from beginning to end: a container's first bytes say little of the rest. */
function sampleOf(bytes: Uint8Array): Uint8Array {
  const sample = new Uint8Array(SAMPLES * SAMPLE_BYTES);
  for (let piece = 0; piece < SAMPLES; piece++) {
    const from = Math.floor(((bytes.byteLength - SAMPLE_BYTES) / (SAMPLES - 1)) * piece);
    sample.set(bytes.subarray(from, from + SAMPLE_BYTES), piece * SAMPLE_BYTES);
  }
  return sample;
}

function failure(code: "CORRUPT" | "UNSUPPORTED", message: string, cause?: unknown): StorageError {
  return new StorageError(code, message, { capability: "documents", operation: "getAssetBytes", cause });
}
