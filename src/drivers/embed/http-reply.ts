import { describe, isPlainObject } from "../../contracts/validate.ts";
import { StorageError } from "../../errors.ts";
import { withoutSecrets } from "./http-failure.ts";
import type { HttpSettings } from "./http-options.ts";

/** Returns the vectors of an answer in the order of the texts. How many there are, and how long, is checked by the caller.
 *  @throws StorageError DRIVER */
export function parseReply(settings: HttpSettings, body: string): Float32Array[] {
  const { api } = settings;
  let reply: unknown;
  try {
    reply = JSON.parse(body);
  } catch {
    // The parser's own error quotes the answer, which may repeat a key.
    throw unreadable(`no JSON: ${describe(withoutSecrets(settings, body))}`);
  }
  const list = isPlainObject(reply) ? reply[api === "openai" ? "data" : "embeddings"] : undefined;
  if (!Array.isArray(list)) {
    throw unreadable(`no list "${api === "openai" ? "data" : "embeddings"}"`);
  }
  const entries = list as readonly unknown[];
  return api === "openai" ? inOrder(entries) : entries.map((values, index) => toVector(values, index));
}

/** OpenAI's entries say which text they are of; where none does, they are in order. */
function inOrder(entries: readonly unknown[]): Float32Array[] {
  const vectors: (Float32Array | undefined)[] = entries.map(() => undefined);
  for (const [position, entry] of entries.entries()) {
    if (!isPlainObject(entry)) throw unreadable(`entry ${position} is no object`);
    const index = entry["index"] ?? position;
    if (typeof index !== "number" || !(index in vectors) || vectors[index] !== undefined) {
      throw unreadable(`entry ${position} has the index ${describe(index)}, which is taken or out of range`);
    }
    vectors[index] = toVector(entry["embedding"], index);
  }
  return vectors.filter((vector) => vector !== undefined);
}

function toVector(values: unknown, index: number): Float32Array {
  if (typeof values === "string") return fromBase64(values, index);
  if (!Array.isArray(values) || !values.every((value) => typeof value === "number")) {
    throw unreadable(`vector ${index} is neither a list of numbers nor base64`);
  }
  return Float32Array.from(values);
}

/** 32-bit floats, little-endian. */
function fromBase64(text: string, index: number): Float32Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch (cause) {
    throw unreadable(`vector ${index} is no base64`, cause);
  }
  if (binary.length % 4 !== 0) throw unreadable(`vector ${index} has ${binary.length} bytes, no multiple of 4`);
  const bytes = new DataView(Uint8Array.from(binary, (character) => character.charCodeAt(0)).buffer);
  return Float32Array.from({ length: binary.length / 4 }, (_, at) => bytes.getFloat32(at * 4, true));
}

function unreadable(what: string, cause?: unknown): StorageError {
  const context = { capability: "embedder", operation: "embed", cause } as const;
  return new StorageError("DRIVER", `the embedding server's answer cannot be read: ${what}`, context);
}
