import { checkEmbeddings } from "../../contracts/check-embedder.ts";
import { requireVector } from "../../contracts/check-vectors.ts";
import type { Embedder } from "../../contracts/embedder.ts";
import type { EmbeddingFailure } from "../../contracts/embeddings.ts";
import type { VectorTable } from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";
import { embedderError } from "./embedder-error.ts";
import type { ChunkText } from "./missing.ts";
import type { EmbeddedChunk } from "./writer.ts";

/** What came of a batch of texts. */
export interface EmbeddedTexts {
  rows: EmbeddedChunk[];
  failures: { failure: EmbeddingFailure; error: StorageError }[];
  /** How long the embedder kept the thread before it first let go of it. */
  busyMs: number;
}

/** Embeds texts of chunks. Where the embedder finds the input wrong, the batch is halved until the chunks at fault are found: they
 *  are left out and the others embedded.
 *  @throws StorageError what the embedder throws otherwise; what is no StorageError is the cause of one (DRIVER) */
export async function embedTexts(
  embedder: Embedder,
  table: VectorTable,
  texts: readonly ChunkText[],
  signal: AbortSignal,
): Promise<EmbeddedTexts> {
  const start = performance.now();
  try {
    const calling = embedder.embed(
      texts.map(({ text }) => text),
      { kind: "document", signal },
    );
    const busyMs = performance.now() - start;
    return sort(
      table,
      texts,
      checkEmbeddings(
        embedder,
        texts.map(({ text }) => text),
        await calling,
      ),
      busyMs,
    );
  } catch (thrown) {
    const error = embedderError(embedder, thrown);
    if (error.code !== "INVALID_INPUT" || signal.aborted) throw error;
    const [only] = texts;
    if (texts.length === 1 && only !== undefined)
      return { rows: [], failures: [fault(only.chunkId, error)], busyMs: 0 };
    const middle = texts.length >> 1;
    const first = await embedTexts(embedder, table, texts.slice(0, middle), signal);
    const second = await embedTexts(embedder, table, texts.slice(middle), signal);
    return {
      rows: [...first.rows, ...second.rows],
      failures: [...first.failures, ...second.failures],
      busyMs: first.busyMs + second.busyMs,
    };
  }
}

/** A vector that its table does not take, such as zero under cosine, is its chunk's failure, not that of its batch. */
function sort(
  table: VectorTable,
  texts: readonly ChunkText[],
  vectors: readonly Float32Array[],
  busyMs: number,
): EmbeddedTexts {
  const sorted: EmbeddedTexts = { rows: [], failures: [], busyMs };
  for (const [at, { chunkId }] of texts.entries()) {
    try {
      const site = { capability: "embedder", operation: "embed" } as const;
      sorted.rows.push({ chunkId, vector: requireVector(site, "vector", vectors[at], table) });
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      sorted.failures.push(fault(chunkId, error));
    }
  }
  return sorted;
}

function fault(chunkId: string, error: StorageError): { failure: EmbeddingFailure; error: StorageError } {
  return { failure: { chunkId, reason: error.message, code: error.code }, error };
}
