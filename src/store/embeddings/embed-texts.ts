import { checkEmbeddings } from "../../contracts/check-embedder.ts";
import { requireVector } from "../../contracts/check-vectors.ts";
import type { Embedder } from "../../contracts/embedder.ts";
import { untilAborted } from "../../contracts/until-aborted.ts";
import type { VectorTable } from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";
import { embedderError } from "./embedder-error.ts";
import type { ChunkText } from "./missing.ts";
import { abortedError } from "./tidy.ts";
import type { EmbeddedChunk } from "./writer.ts";

/** A chunk that was left out, and why. */
export interface RefusedChunk {
  chunkId: string;
  chunkKey: number;
  error: StorageError;
}

/** What came of a batch of texts. */
export interface EmbeddedTexts {
  rows: EmbeddedChunk[];
  refused: RefusedChunk[];
  /** How long the embedder kept the thread before it first let go of it. */
  busyMs: number;
}

/** Embeds texts of chunks. Where the embedder finds the input wrong, the batch is halved until the chunks at fault are found: they
 *  are left out and the others embedded. One that does not hear the signal is not waited for.
 *  @throws StorageError what the embedder throws otherwise; what is no StorageError is the cause of one (DRIVER) */
export async function embedTexts(
  embedder: Embedder,
  table: VectorTable,
  chunks: readonly ChunkText[],
  signal: AbortSignal,
): Promise<EmbeddedTexts> {
  const texts = chunks.map(({ text }) => text);
  const start = performance.now();
  try {
    const calling = embedder.embed(texts, { kind: "document", signal });
    const busyMs = performance.now() - start;
    const answer = await untilAborted(calling, signal, () => abortedError(signal, "run"));
    return { ...sort(table, chunks, vectorsOf(embedder, texts, answer)), busyMs };
  } catch (thrown) {
    const error = embedderError(embedder, thrown);
    if (error.code !== "INVALID_INPUT" || signal.aborted) throw error;
    const [only] = chunks;
    if (chunks.length === 1 && only !== undefined) return { rows: [], refused: [refusal(only, error)], busyMs: 0 };
    const middle = chunks.length >> 1;
    const first = await embedTexts(embedder, table, chunks.slice(0, middle), signal);
    const second = await embedTexts(embedder, table, chunks.slice(middle), signal);
    return {
      rows: [...first.rows, ...second.rows],
      refused: [...first.refused, ...second.refused],
      busyMs: first.busyMs + second.busyMs,
    };
  }
}

/** Returns an answer as vectors, one per text. That one of them is of no use is not looked at here, unless all have the wrong length.
 *  @throws StorageError DRIVER */
function vectorsOf(embedder: Embedder, texts: readonly string[], answer: readonly Float32Array[]): Float32Array[] {
  const wellFormed =
    Array.isArray(answer) &&
    answer.length === texts.length &&
    answer.every((vector) => vector instanceof Float32Array) &&
    answer.some(({ length }) => length === embedder.dimensions);
  return wellFormed ? answer : checkEmbeddings(embedder, texts, answer);
}

/** A vector that its table does not take, such as zero under cosine or one with NaN, is its chunk's failure, not that of its batch. */
function sort(
  table: VectorTable,
  chunks: readonly ChunkText[],
  vectors: readonly Float32Array[],
): Omit<EmbeddedTexts, "busyMs"> {
  const rows: EmbeddedChunk[] = [];
  const refused: RefusedChunk[] = [];
  const site = { capability: "embedder", operation: "embed" } as const;
  for (const [at, chunk] of chunks.entries()) {
    try {
      const vector = requireVector(site, "vector", vectors[at], table);
      rows.push({ chunkId: chunk.chunkId, chunkKey: chunk.chunkKey, vector });
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      refused.push(refusal(chunk, error));
    }
  }
  return { rows, refused };
}

function refusal({ chunkId, chunkKey }: ChunkText, error: StorageError): RefusedChunk {
  return { chunkId, chunkKey, error };
}
