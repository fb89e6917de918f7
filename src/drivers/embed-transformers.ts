import { checkEmbedCall, checkEmbeddings, embedAborted, throwIfEmbedAborted } from "../contracts/check-embedder.ts";
import type { Embedder, EmbedOptions } from "../contracts/embedder.ts";
import { untilAborted } from "../contracts/until-aborted.ts";
import { StorageError } from "../errors.ts";
import { rememberSpec } from "./embed/own-spec.ts";
import { loadModel } from "./embed/transformers-model.ts";
import type { FeatureExtractor, FeatureTensor } from "./embed/transformers-module.ts";
import { checkTransformersOptions, type TransformersEmbedderOptions } from "./embed/transformers-options.ts";
import type { TransformersSettings } from "./embed/transformers-options.ts";

export type { ModelCache, Pooling, TransformersEmbedderOptions } from "./embed/transformers-options.ts";

/** Creates an embedder that runs a sentence model here, with the optional package `@huggingface/transformers` (4.3.1).
 *
 *  Package and model are loaded by the first `embed`, and again by the next one where that failed. Model files come from
 *  `modelPath`, from the Hugging Face Hub only where `allowRemote` says so; browsers also need `wasmPath`. While it loads, the package's global `env`
 *  holds this embedder's paths; after that it is as it was.
 *
 *  Calls run one after the other. A text is cut where the model's context ends. An abort rejects at once; the batch that is
 *  already with the model runs to its end unseen. In a page, run this in a worker: the model blocks its thread.
 *  @throws StorageError INVALID_INPUT
 *  @example
 *    createTransformersEmbedder({
 *      model: "Xenova/all-MiniLM-L6-v2", dimensions: 384, modelPath: "https://example.org/models",
 *      wasmPath: "https://example.org/onnxruntime", load: () => import("@huggingface/transformers"),
 *    }); */
export function createTransformersEmbedder(options: TransformersEmbedderOptions): Embedder {
  const embedder = new TransformersEmbedder(checkTransformersOptions(options));
  const { load, cache } = options;
  // A function and a cache of the caller's own stay in its thread.
  if (load !== undefined || typeof cache === "object") return embedder;
  return rememberSpec(embedder, { kind: "transformers", ...options });
}

const EMBED = { capability: "embedder", operation: "embed" } as const;

class TransformersEmbedder implements Embedder {
  readonly modelId: string;
  readonly modelVersion: string;
  readonly dimensions: number;
  readonly maxBatch: number;
  readonly #settings: TransformersSettings;
  #extractor: FeatureExtractor | undefined;
  #lastCall: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(settings: TransformersSettings) {
    this.modelId = settings.model;
    this.modelVersion = settings.modelVersion;
    this.dimensions = settings.dimensions;
    this.maxBatch = settings.maxBatch;
    this.#settings = settings;
  }

  async embed(texts: readonly string[], options: EmbedOptions): Promise<Float32Array[]> {
    if (this.#closing !== undefined) throw new StorageError("CLOSED", "the embedder is closed", EMBED);
    checkEmbedCall(texts, options, this.maxBatch);
    const { kind, signal } = options;
    const prefix = kind === "document" ? this.#settings.documentPrefix : this.#settings.queryPrefix;
    const inputs = texts.map((text) => (prefix + text).replace(/\p{Surrogate}/gu, "\ufffd"));
    const call = this.#lastCall.then(() => this.#run(inputs, signal));
    this.#lastCall = call.catch(() => undefined);
    return untilAborted(call, signal, embedAborted);
  }

  close(): Promise<void> {
    this.#closing ??= this.#lastCall.then(() => this.#dispose());
    return this.#closing;
  }

  async #run(inputs: readonly string[], signal: AbortSignal | undefined): Promise<Float32Array[]> {
    const step = this.#settings.pooling === "last_token" ? 1 : this.maxBatch;
    const vectors: Float32Array[] = [];
    for (let start = 0; start < inputs.length; start += step) {
      throwIfEmbedAborted(signal);
      this.#extractor ??= await loadModel(this.#settings);
      throwIfEmbedAborted(signal);
      vectors.push(...(await this.#extract(this.#extractor, inputs.slice(start, start + step))));
    }
    return vectors;
  }

  async #extract(extractor: FeatureExtractor, inputs: readonly string[]): Promise<Float32Array[]> {
    const { pooling, normalize } = this.#settings;
    let tensor: FeatureTensor;
    try {
      tensor = await extractor(inputs, { pooling, normalize });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `the embedding model ${JSON.stringify(this.modelId)} failed: ${reason}`;
      throw new StorageError("DRIVER", message, { ...EMBED, cause });
    }
    return checkEmbeddings(this, inputs, rows(tensor, this.modelId));
  }

  async #dispose(): Promise<void> {
    try {
      await this.#extractor?.dispose();
    } catch (cause) {
      const message = `the embedding model ${JSON.stringify(this.modelId)} could not be closed`;
      throw new StorageError("DRIVER", message, { capability: "embedder", operation: "close", cause });
    }
  }
}

function rows({ data, dims, type }: FeatureTensor, modelId: string): Float32Array[] {
  const [count = 0, dimensions = 0] = dims;
  if (!(data instanceof Float32Array) || dims.length !== 2 || data.length !== count * dimensions) {
    const message = `the embedding model ${JSON.stringify(modelId)} answered a ${type} tensor of [${dims.join(", ")}]`;
    throw new StorageError("DRIVER", `${message}; float32 of [texts, dimensions] is needed`, EMBED);
  }
  return Array.from({ length: count }, (_, row) => data.slice(row * dimensions, (row + 1) * dimensions));
}
