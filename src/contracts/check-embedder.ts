import { StorageError } from "../errors.ts";
import type { Embedder, EmbedKind, EmbedOptions } from "./embedder.ts";
import {
  type CallSite,
  invalidInput,
  named,
  requireInteger,
  requireList,
  requireNumber,
  requireText,
} from "./validate.ts";
import { requireObject, requireOneOf } from "./validate.ts";

/** Longest model id, in characters. */
export const MAX_MODEL_ID_LENGTH = 200;
/** Longest model version, in characters. */
export const MAX_MODEL_VERSION_LENGTH = 100;
/** Most values in a vector. */
export const MAX_DIMENSIONS = 4096;
/** Most texts that an embedder may take in one call. */
export const MAX_EMBED_BATCH = 4096;
/** Longest text to embed, in characters. */
export const MAX_EMBED_TEXT_LENGTH = 1_000_000;

const EMBED = { capability: "embedder", operation: "embed" } as const;
const KINDS: readonly EmbedKind[] = ["document", "query"];

/** Returns the value as an embedder: a caller's own is checked once, where it is handed in. */
export function requireEmbedder(site: CallSite, field: string, value: unknown): Embedder {
  if (typeof value !== "object" || value === null) throw invalidInput(site, field, value, "an embedder");
  const embedder = value as Partial<Record<keyof Embedder, unknown>>;
  const within = { ...site, within: named(site, field) };
  requireText(within, "modelId", embedder.modelId, { max: MAX_MODEL_ID_LENGTH });
  requireText(within, "modelVersion", embedder.modelVersion, { max: MAX_MODEL_VERSION_LENGTH });
  requireInteger(within, "dimensions", embedder.dimensions, 1, MAX_DIMENSIONS);
  requireInteger(within, "maxBatch", embedder.maxBatch, 1, MAX_EMBED_BATCH);
  if (embedder.fusionWeight !== undefined) requireNumber(within, "fusionWeight", embedder.fusionWeight, 0, 10);
  if (typeof embedder.embed !== "function") throw invalidInput(within, "embed", embedder.embed, "a function");
  if (embedder.close !== undefined && typeof embedder.close !== "function") {
    throw invalidInput(within, "close", embedder.close, "a function or nothing");
  }
  return value as Embedder;
}

/** Checks the arguments of `embed`.
 *  @throws StorageError INVALID_INPUT, ABORTED (the signal fired before the call) */
export function checkEmbedCall(texts: unknown, options: unknown, maxBatch: number): void {
  for (const [index, text] of requireList(EMBED, "texts", texts, 0, maxBatch).entries()) {
    if (typeof text === "string" && text.length <= MAX_EMBED_TEXT_LENGTH) continue;
    throw invalidInput(EMBED, `texts[${index}]`, text, `a text of 0 to ${MAX_EMBED_TEXT_LENGTH} characters`);
  }
  const { kind, signal } = requireObject(EMBED, "options", options, ["kind", "signal"]);
  requireOneOf({ ...EMBED, within: "options" }, "kind", kind, KINDS);
  if (signal === undefined) return;
  if (!(signal instanceof AbortSignal)) throw invalidInput(EMBED, "options.signal", signal, "an AbortSignal");
  throwIfEmbedAborted(signal);
}

/** @throws StorageError ABORTED */
export function throwIfEmbedAborted(signal: EmbedOptions["signal"]): void {
  if (signal?.aborted === true) throw embedAborted(signal);
}

/** Returns the ABORTED error; the signal's reason is its cause. */
export function embedAborted(signal: EmbedOptions["signal"]): StorageError {
  const cause: unknown = signal?.reason;
  return new StorageError("ABORTED", "the embedding was aborted", { ...EMBED, cause });
}

/** Returns what an embedder answered as its vectors: as many as texts, each of `dimensions` finite values.
 *  @throws StorageError DRIVER, naming the model and the vector */
export function checkEmbeddings(
  embedder: Pick<Embedder, "modelId" | "dimensions">,
  texts: readonly string[],
  vectors: unknown,
): Float32Array[] {
  const model = `the embedding model ${JSON.stringify(embedder.modelId)}`;
  if (!Array.isArray(vectors)) throw wrongAnswer(`${model} answered no list of vectors`);
  if (vectors.length !== texts.length) {
    throw wrongAnswer(`${model} answered ${vectors.length} vectors for ${texts.length} texts`);
  }
  for (const [index, vector] of (vectors as readonly unknown[]).entries()) {
    if (!(vector instanceof Float32Array)) throw wrongAnswer(`${model}: vector ${index} is no Float32Array`);
    if (vector.length !== embedder.dimensions) {
      throw wrongAnswer(`${model}: vector ${index} has ${vector.length} values, not ${embedder.dimensions}`);
    }
    const wrong = vector.findIndex((value) => !Number.isFinite(value));
    if (wrong !== -1) throw wrongAnswer(`${model}: vector ${index} has ${vector[wrong]} at position ${wrong}`);
  }
  return vectors as Float32Array[];
}

function wrongAnswer(message: string): StorageError {
  return new StorageError("DRIVER", message, EMBED);
}
