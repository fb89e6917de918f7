import { MAX_CHUNK_LENGTH } from "../../contracts/check-chunks.ts";
import { describe, isPlainObject } from "../../contracts/validate.ts";
import { StorageError } from "../../errors.ts";

/** The text that a vector stands for. */
export interface ImportText {
  text: string;
  /** JSON values. `title`, else `source`, becomes the document's title. */
  metadata: Record<string, unknown>;
}

/** What no store takes in a text: half of a surrogate pair, or U+0000. */
const UNSTORABLE = /[\p{Surrogate}\0]/u;
const CHUNK_ID = /^[0-9a-f]{32}$/;

/** Returns the texts of a `docstore.json`, by label: a list of pairs `[label, { pageContent, metadata }]`, as LangChain writes it, or an
 *  object `label → { pageContent, metadata }` or `label → text`.
 *  @throws StorageError BAD_FORMAT naming the label */
export function parseDocstore(json: string): Map<string, ImportText> {
  const operation = "parseDocstore";
  const value = parseJson(json, operation);
  const texts = new Map<string, ImportText>();
  if (!Array.isArray(value) && !isPlainObject(value)) {
    throw bad(operation, `the docstore is ${describe(value)}; it takes a list of pairs, or an object`);
  }
  const entries: readonly unknown[] = Array.isArray(value) ? value : Object.entries(value);
  for (const [at, entry] of entries.entries()) {
    if (!Array.isArray(entry) || entry.length !== 2 || typeof entry[0] !== "string") {
      throw bad(operation, `entry ${at} of the docstore is ${describe(entry)}; it takes a label and a document`);
    }
    const [label, document] = entry as [string, unknown];
    if (texts.has(label)) throw bad(operation, `the docstore has ${describe(label)} twice`);
    texts.set(label, textOf(operation, label, document));
  }
  return texts;
}

/** Returns which chunk each label stands for: an object `label → chunk id`.
 *  @throws StorageError BAD_FORMAT naming the label */
export function parseChunkMap(json: string): Map<string, string> {
  const operation = "parseChunkMap";
  const value = parseJson(json, operation);
  if (!isPlainObject(value)) throw bad(operation, `the map is ${describe(value)}; it takes an object label → chunk id`);
  const chunks = new Map<string, string>();
  for (const [label, id] of Object.entries(value)) {
    if (typeof id !== "string" || !CHUNK_ID.test(id)) {
      throw bad(
        operation,
        `${describe(label)} is ${describe(id)} in the map; it takes a chunk id of 32 lower-case hex digits`,
      );
    }
    chunks.set(label, id);
  }
  return chunks;
}

function textOf(operation: string, label: string, document: unknown): ImportText {
  const named = isPlainObject(document) ? document : { pageContent: document };
  const { pageContent: text, metadata = {} } = named;
  if (typeof text !== "string" || text.length > MAX_CHUNK_LENGTH) {
    throw bad(
      operation,
      `pageContent of ${describe(label)} is ${describe(text)}; it takes a text of up to ${MAX_CHUNK_LENGTH} characters`,
    );
  }
  if (UNSTORABLE.test(text))
    throw bad(operation, `pageContent of ${describe(label)} is no well-formed Unicode without U+0000`);
  if (!isPlainObject(metadata)) {
    throw bad(operation, `metadata of ${describe(label)} is ${describe(metadata)}; it takes an object`);
  }
  return { text, metadata };
}

function parseJson(json: string, operation: string): unknown {
  try {
    return JSON.parse(json.replace(/^\uFEFF/, "")) as unknown;
  } catch (cause) {
    throw bad(operation, `the file is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function bad(operation: string, message: string, cause?: unknown): StorageError {
  return new StorageError("BAD_FORMAT", message, { capability: "embeddings", operation, cause });
}
