import { checkEmbedCall, MAX_DIMENSIONS, throwIfEmbedAborted } from "../contracts/check-embedder.ts";
import type { Embedder, EmbedOptions } from "../contracts/embedder.ts";
import { requireInteger, requireObject } from "../contracts/validate.ts";
import { FeatureSum } from "./embed/feature-sum.ts";
import { rememberSpec } from "./embed/own-spec.ts";
import { addTextFeatures } from "./embed/text-features.ts";

/** Options of {@link createHashingEmbedder}. */
export interface HashingEmbedderOptions {
  /** 1 to 4096, default 384. More of them blur less: 1024 finds better and takes 2.7 times the space. */
  dimensions?: number;
}

const DEFAULT_DIMENSIONS = 384;
const MAX_BATCH = 256;
/** Raise it with every change of what comes out: vectors of two versions do not compare. */
const VERSION = "1";
const SITE = { capability: "embedder", operation: "createHashingEmbedder" } as const;

/** Creates an embedder that needs no model, no download and no network: words and word parts, hashed into a unit vector.
 *
 *  It finds shared words, their inflections and misspellings, in any script. It knows no meaning: "car" and "automobile"
 *  have nothing in common. Ranking by it is worse than the lexical search of the same text, since it does not know which
 *  words are rare; use a model for what it is worth, this one for what must always work.
 *
 *  The same text has the same vector on every machine and in every browser, as long as the engine's Unicode tables agree.
 *  Document and query are embedded alike. A text of symbols only is embedded by its symbols, a blank one as a fixed
 *  direction, so that no vector is zero.
 *  @throws StorageError INVALID_INPUT
 *  @see Weinberger et al. 2009, arXiv:0902.2206; Bojanowski et al. 2017, arXiv:1607.04606 (word parts)
 *  @example
 *    const [vector] = await createHashingEmbedder().embed(["a text"], { kind: "document" }); */
export function createHashingEmbedder(options: HashingEmbedderOptions = {}): Embedder {
  const { dimensions = DEFAULT_DIMENSIONS } = requireObject(SITE, "options", options, ["dimensions"]);
  const embedder = new HashingEmbedder(requireInteger(SITE, "dimensions", dimensions, 1, MAX_DIMENSIONS));
  return rememberSpec(embedder, { kind: "hashing", dimensions: embedder.dimensions });
}

class HashingEmbedder implements Embedder {
  readonly modelId = "hashing";
  readonly modelVersion: string = VERSION;
  readonly maxBatch: number = MAX_BATCH;
  /** Measured: more pulls a good ranking by words down (DESIGN.md). */
  readonly fusionWeight: number = 0.05;
  readonly dimensions: number;

  constructor(dimensions: number) {
    this.dimensions = dimensions;
  }

  async embed(texts: readonly string[], options: EmbedOptions): Promise<Float32Array[]> {
    checkEmbedCall(texts, options, this.maxBatch);
    const features = new FeatureSum();
    return texts.map((text) => {
      throwIfEmbedAborted(options.signal);
      addTextFeatures(text, features);
      return features.takeVector(this.dimensions, 0);
    });
  }
}
