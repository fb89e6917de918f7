/** Whether a text is stored or asked: many models embed the two differently. */
export type EmbedKind = "document" | "query";

/** Turns texts into vectors. */
export interface Embedder {
  readonly modelId: string;
  readonly modelVersion: string;
  /** 1 to 4096. */
  readonly dimensions: number;
  /** Most texts in one call of `embed`. */
  readonly maxBatch: number;
  /** Returns one vector of `dimensions` finite values per text, in order.
   *  @throws StorageError INVALID_INPUT, TIMEOUT, ABORTED, DRIVER */
  embed(texts: readonly string[], options: { kind: EmbedKind; signal?: AbortSignal }): Promise<Float32Array[]>;
}
