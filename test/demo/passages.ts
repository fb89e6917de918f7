import type { PackedSource } from "../../src/index.ts";
import type { Passage } from "../../demo/chat/passage.ts";

/** A passage of a text, as a search finds it. */
export function passage(text: string, id = "c"): Passage {
  const place = {
    chunkId: id,
    documentId: "d",
    title: "Firing",
    headingPath: ["Firing", "Copper"],
    span: { kind: "line", start: 3, end: 5 },
  } as const;
  const { chunkId, documentId, title, span } = place;
  const headingPath = [...place.headingPath];
  const snippet = { text: "", highlights: [] };
  return {
    chunkId,
    documentId,
    title,
    headingPath,
    workspacePath: "kiln/firing.md",
    span,
    text,
    snippet,
    hit: {
      chunkId,
      documentId,
      title,
      headingPath,
      snippet,
      citation: { workspacePath: "kiln/firing.md", headingPath, span },
      score: 1,
      scoreKind: "bm25",
      lexicalRank: 1,
      lexicalScore: 1,
      vectorRank: null,
      vectorScore: null,
    },
    chunk: {
      id,
      documentId,
      ordinal: 0,
      blockIds: [],
      headingPath,
      text,
      span,
      tokenCount: 1,
      chunkerVersion: "1",
      policyHash: "",
    },
  };
}

/** This many sources, numbered from 1. */
export function numberedSources(count: number): PackedSource[] {
  return Array.from({ length: count }, (_, at) => {
    const { chunkId, documentId, title, workspacePath, headingPath, span } = passage("", `c${at + 1}`);
    return { number: at + 1, citation: { chunkId, documentId, title, workspacePath, headingPath, span } };
  });
}
