import type { Store } from "lodestore";
import type { Passage } from "./passage.ts";
import { isEmptyWord } from "./question-words.ts";

/** Passages that are looked at for one question. */
const PASSAGES = 8;

/** Finds passages for a question: by words and by meaning where the store makes embeddings, else by words. */
export async function findPassages(
  store: Store,
  question: string,
  { byMeaning, signal }: { byMeaning: boolean; signal: AbortSignal },
): Promise<Passage[]> {
  const { hits } = await store.search(
    { text: question, plainText: true, mode: byMeaning ? "hybrid" : "lexical", collapse: byMeaning, k: PASSAGES },
    { signal },
  );
  if (hits.length === 0) return [];
  const chunks = await store.documents.getChunks(hits.map(({ chunkId }) => chunkId));
  const texts = new Map(chunks.map(({ id, text }) => [id, text]));
  return hits.map(({ chunkId, documentId, title, headingPath, snippet, citation: { workspacePath, span } }) => ({
    chunkId,
    documentId,
    title,
    headingPath,
    workspacePath,
    span,
    snippet: {
      ...snippet,
      highlights: snippet.highlights.filter((range) => !isEmptyWord(snippet.text.slice(...range))),
    },
    // A chunk may go between the two calls.
    text: texts.get(chunkId) ?? snippet.text,
  }));
}
