import type { Chunk, SearchHit, SearchMode, Store } from "lodestore";
import type { Passage } from "./passage.ts";
import { isEmptyWord } from "./question-words.ts";

/** Passages that are looked at for one question. */
const PASSAGES = 8;

/** How questions are searched for: by words and by meaning where the store makes embeddings, else by words. */
export function questionMode(byMeaning: boolean): SearchMode {
  return byMeaning ? "hybrid" : "lexical";
}

/** Finds passages for a question. */
export async function findPassages(
  store: Store,
  question: string,
  { byMeaning, signal }: { byMeaning: boolean; signal: AbortSignal },
): Promise<Passage[]> {
  const { hits } = await store.search(
    { text: question, plainText: true, mode: questionMode(byMeaning), collapse: byMeaning, k: PASSAGES },
    { signal },
  );
  if (hits.length === 0) return [];
  const chunks = await store.documents.getChunks(hits.map(({ chunkId }) => chunkId));
  const chunkOf = new Map(chunks.map((chunk) => [chunk.id, chunk]));
  return hits.flatMap((hit) => {
    const chunk = chunkOf.get(hit.chunkId);
    // A chunk may go between the two calls.
    return chunk === undefined ? [] : [passageOf(hit, chunk)];
  });
}

function passageOf(hit: SearchHit, chunk: Chunk): Passage {
  const { chunkId, documentId, title, headingPath, snippet, citation } = hit;
  const { workspacePath, span } = citation;
  const highlights = snippet.highlights.filter((range) => !isEmptyWord(snippet.text.slice(...range)));
  return {
    chunkId,
    documentId,
    title,
    headingPath,
    workspacePath,
    span,
    snippet: { ...snippet, highlights },
    text: chunk.text,
    hit,
    chunk,
  };
}
