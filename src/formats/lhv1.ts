import { formatError } from "./format-error.ts";

/**
 * LHV1, the frame of a snapshot file:
 *
 *     offset 0   4 bytes   magic "LHV1"
 *     offset 4   uint32    envelope length, big-endian
 *     offset 8   envelope  a JSON object in UTF-8
 *     then       graph     to the end of the file
 *
 * What the envelope and the graph say is not looked at here: see lhv1-envelope.ts and coder-hnsw.ts.
 */
const MAGIC = [0x4c, 0x48, 0x56, 0x31] as const;
const HEADER_BYTES = 8;

/** Most bytes of an envelope, 1 MiB: what a reader is willing to parse as JSON. */
export const MAX_ENVELOPE_BYTES: number = 1024 * 1024;

/** Deepest nesting of an envelope: what reads it afterwards, message ports among them, has an end to its stack. */
const MAX_DEPTH = 64;

/** A file taken apart. */
export interface Lhv1File {
  /** The envelope as JSON gave it: any object. */
  envelope: Record<string, unknown>;
  /** The rest of the file: a view of the bytes that were read, not a copy. */
  graph: Uint8Array;
}

/** Returns the bytes of a snapshot file.
 *  @param envelope Written with `JSON.stringify`; at most 1 MiB in UTF-8.
 *  @param graphParts The graph section in order, so that a caller need not join it first.
 *  @throws StorageError INVALID_INPUT */
export function writeLhv1(envelope: object, graphParts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(envelope));
  if (Array.isArray(envelope) || json.length > MAX_ENVELOPE_BYTES) {
    const message = `envelope takes ${json.length} bytes; it takes an object of at most ${MAX_ENVELOPE_BYTES} bytes`;
    throw formatError("INVALID_INPUT", "writeLhv1", message);
  }
  const graphBytes = graphParts.reduce((sum, part) => sum + part.length, 0);
  const file = new Uint8Array(HEADER_BYTES + json.length + graphBytes);
  file.set(MAGIC);
  new DataView(file.buffer).setUint32(4, json.length, false);
  file.set(json, HEADER_BYTES);
  let offset = HEADER_BYTES + json.length;
  for (const part of graphParts) {
    file.set(part, offset);
    offset += part.length;
  }
  return file;
}

/** Returns the envelope and the graph section of a snapshot file; the graph is a view of `bytes`.
 *  @throws StorageError BAD_FORMAT */
export function readLhv1(bytes: Uint8Array): Lhv1File {
  if (bytes.length < HEADER_BYTES)
    throw bad(`the file has ${bytes.length} bytes; an LHV1 file has ${HEADER_BYTES} or more`);
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) throw bad("the file does not begin with LHV1");
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4, false);
  const left = bytes.length - HEADER_BYTES;
  if (length > left) throw bad(`the envelope length is ${length}, with ${left} bytes left`);
  if (length > MAX_ENVELOPE_BYTES) throw bad(`the envelope length is ${length}; it takes up to ${MAX_ENVELOPE_BYTES}`);
  const envelope = parseEnvelope(bytes.subarray(HEADER_BYTES, HEADER_BYTES + length));
  return { envelope, graph: bytes.subarray(HEADER_BYTES + length) };
}

function parseEnvelope(utf8: Uint8Array): Record<string, unknown> {
  let json: string;
  let value: unknown;
  try {
    json = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(utf8);
    value = JSON.parse(json);
  } catch (cause) {
    const what = cause instanceof TypeError ? "UTF-8" : "JSON";
    throw bad(`the envelope is not valid ${what}`, cause);
  }
  if (depthOf(json) > MAX_DEPTH) throw bad(`the envelope is nested more than ${MAX_DEPTH} levels deep`);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw bad("the envelope is not a JSON object");
  return value as Record<string, unknown>;
}

/** Most levels of brackets in sound JSON, those in its texts left out. */
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let inText = false;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (inText) {
      if (character === "\\") at++;
      else if (character === '"') inText = false;
    } else if (character === '"') {
      inText = true;
    } else if (character === "[" || character === "{") {
      deepest = Math.max(deepest, ++depth);
    } else if (character === "]" || character === "}") {
      depth--;
    }
  }
  return deepest;
}

function bad(message: string, cause?: unknown): Error {
  return formatError("BAD_FORMAT", "readLhv1", message, { cause });
}
