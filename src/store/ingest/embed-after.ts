import type { CheckedIngestOptions } from "../../contracts/check-ingest.ts";
import type { EmbeddingProgress, EmbeddingReport, EmbeddingRunOptions } from "../../contracts/embeddings.ts";
import { StorageError } from "../../errors.ts";

/** What embeds the chunks that an ingest brought in. */
export interface AfterIngest {
  /** Whether there is something that embeds. */
  readonly canRun: boolean;
  /** Embeds what is missing in the background. */
  start(): void;
  run(options: EmbeddingRunOptions): Promise<EmbeddingReport>;
}

/** @throws StorageError UNSUPPORTED when an ingest is to wait for what nothing does */
export function requireEmbedding({ embed }: CheckedIngestOptions, embedding: AfterIngest | undefined): void {
  if (embed !== "wait" || embedding?.canRun === true) return;
  throw new StorageError("UNSUPPORTED", 'embed got "wait", and the store was opened without an embedder', {
    capability: "ingest",
    operation: "ingest",
  });
}

/** Embeds what is missing. @returns the report, or why it ended early. */
export async function embedAfter(
  embedding: AfterIngest | undefined,
  signal: AbortSignal | undefined,
  onProgress: (progress: EmbeddingProgress) => void,
): Promise<EmbeddingReport | StorageError | undefined> {
  try {
    return await embedding?.run({ onProgress, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
}
