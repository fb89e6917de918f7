/** Whether a text is stored or asked: many models embed the two differently. */
export type EmbedKind = "document" | "query";

/** How texts are embedded. */
export interface EmbedOptions {
  kind: EmbedKind;
  /** Ends the call with ABORTED, at the latest before the next piece of work. A call that goes on is not waited for. */
  signal?: AbortSignal;
}

/** Turns texts into vectors. Vectors compare only with those of the same model, version and dimensions, which is why all
 *  three name the table they are kept in. */
export interface Embedder {
  /** 1 to 200 characters. */
  readonly modelId: string;
  /** 1 to 100 characters; another version stands for other vectors of the same texts. */
  readonly modelVersion: string;
  /** 1 to 4096. */
  readonly dimensions: number;
  /** How much its ranking weighs in hybrid search, where the words' ranking weighs 1; 0 to 10, 1.2 when absent. */
  readonly fusionWeight?: number;
  /** Most texts in one call of `embed`, 1 to 4096. More are refused, not split. */
  readonly maxBatch: number;

  /** Returns one vector of `dimensions` finite values per text, in order; all or none. The vectors belong to the caller,
   *  each with a buffer of its own.
   *  @param texts 0 to `maxBatch` texts of 0 to 1,000,000 characters; an empty text has a vector too.
   *  @throws StorageError INVALID_INPUT, TIMEOUT, ABORTED, UNSUPPORTED (a package is missing), CLOSED, DRIVER */
  embed(texts: readonly string[], options: EmbedOptions): Promise<Float32Array[]>;

  /** Waits for running calls and lets go of the model; later calls throw CLOSED. Absent where nothing is held. */
  close?(): Promise<void>;
}
