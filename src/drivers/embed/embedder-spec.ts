import type { Embedder } from "../../contracts/embedder.ts";
import { invalidInput, isPlainObject } from "../../contracts/validate.ts";
import { createHashingEmbedder, type HashingEmbedderOptions } from "../embed-hashing.ts";
import { createHttpEmbedder, type HttpEmbedderOptions } from "../embed-http.ts";
import { createTransformersEmbedder, type TransformersEmbedderOptions } from "../embed-transformers.ts";

/** An embedder as plain data, which crosses to a worker: its kind, and the options of the function that makes it. */
export type EmbedderSpec =
  | ({ kind: "hashing" } & HashingEmbedderOptions)
  | ({ kind: "http" } & HttpEmbedderOptions)
  | ({ kind: "transformers" } & Omit<TransformersEmbedderOptions, "load">);

/** Makes the embedder that a spec describes.
 *  @throws StorageError INVALID_INPUT */
export function makeEmbedder(spec: EmbedderSpec): Embedder {
  const site = { capability: "store", operation: "open" } as const;
  const given: unknown = spec;
  if (!isPlainObject(given)) throw invalidInput(site, "embedder", given, "an object with a kind");
  switch (spec.kind) {
    case "hashing": {
      const { kind: _, ...options } = spec;
      return createHashingEmbedder(options);
    }
    case "http": {
      const { kind: _, ...options } = spec;
      return createHttpEmbedder(options);
    }
    case "transformers": {
      const { kind: _, ...options } = spec;
      return createTransformersEmbedder(options);
    }
    default:
      throw invalidInput(
        site,
        "embedder.kind",
        (spec as { kind?: unknown }).kind,
        '"hashing", "http" or "transformers"',
      );
  }
}
