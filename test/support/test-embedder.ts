import type { Embedder, EmbedOptions } from "../../src/contracts/embedder.ts";
import { createHashingEmbedder } from "../../src/drivers/embed-hashing.ts";

/** The hashing embedder with a version of the test's choice, whose vectors differ from version to version, and that fails when told to. */
export class TestEmbedder implements Embedder {
  readonly modelId = "test";
  readonly modelVersion: string;
  readonly dimensions = 16;
  readonly maxBatch: number;
  readonly #hashing = createHashingEmbedder({ dimensions: 16 });
  /** Called with the texts of every call before they are embedded: what it throws the embedder throws. */
  before: (texts: readonly string[], options: EmbedOptions) => void | Promise<void> = () => {};
  texts = 0;
  calls = 0;

  constructor(modelVersion = "1", maxBatch = 256) {
    this.modelVersion = modelVersion;
    this.maxBatch = maxBatch;
  }

  async embed(texts: readonly string[], options: EmbedOptions): Promise<Float32Array[]> {
    this.calls++;
    await this.before(texts, options);
    this.texts += texts.length;
    return this.#hashing.embed(
      texts.map((text) => `${this.modelVersion} ${text}`),
      options,
    );
  }
}
