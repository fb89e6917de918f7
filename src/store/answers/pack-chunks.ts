import type { PackedChunk } from "../../contracts/answers.ts";
import type { ChatCitation } from "../../contracts/chat.ts";
import { type CallSite, describe, refusal, requireInteger, requireObject } from "../../contracts/validate.ts";
import type { Chunk } from "../../contracts/documents.ts";
import type { SearchHit } from "../../contracts/search.ts";
import { MAX_CITATIONS } from "../../contracts/check-chat.ts";
import { estimateTokens } from "../ingest/token-estimate.ts";

/** How much of what was found is put before a model. */
export interface PackOptions {
  /** Tokens of the whole context, 1 to 10,000,000. */
  maxTokens: number;
  /** Chunks at most, 1 to 100; 100 by default. */
  maxChunks?: number;
  /** Counts the tokens of a text, an integer from 0; by default estimated, as a chunk's are. */
  countTokens?: (text: string) => number;
}

/** A chunk in the context, and the number by which it is cited. */
export interface PackedSource {
  /** From 1, without gaps. */
  number: number;
  /** What a citation of it says. */
  citation: ChatCitation;
}

/** What is put before a model. */
export interface PackedContext {
  /** The sources, one after the other with an empty line between them: `[1] Title › Heading (path:3-9)`, and the text of the chunk. */
  text: string;
  /** Tokens of `text`: never more than were allowed. */
  tokens: number;
  sources: PackedSource[];
  /** The same as an answer keeps it. */
  packedChunks: PackedChunk[];
  /** Hits that are not in it: those that did not fit, that say what a better one says, or whose chunk is gone. */
  leftOut: { chunkId: string; reason: "budget" | "duplicate" | "missing" }[];
}

const OPTIONS: readonly (keyof PackOptions)[] = ["maxTokens", "maxChunks", "countTokens"];
const MAX_TOKENS = 10_000_000;
const SITE: CallSite = { capability: "answers", operation: "packChunks" };

/**
 * Puts the chunks of hits into one text with numbered sources, best first, within a number of tokens. A chunk that does not fit is left out,
 * and a smaller one after it may still fit. Each chunk is there once, and so is each text.
 *
 * @param chunks The chunks of the hits, in any order: `documents.getChunks`.
 * @throws StorageError INVALID_INPUT, also where `countTokens` returns what is no count
 * @example
 *   const { hits } = await store.search({ text: question });
 *   const chunks = await store.documents.getChunks(hits.map(({ chunkId }) => chunkId));
 *   const { text, sources } = packChunks(hits, chunks, { maxTokens: 3000 });
 */
export function packChunks(hits: readonly SearchHit[], chunks: readonly Chunk[], options: PackOptions): PackedContext {
  const { maxTokens, maxChunks, countTokens } = checkOptions(options);
  const chunkOf = new Map(chunks.map((chunk) => [chunk.id, chunk]));
  const packed: PackedContext = { text: "", tokens: 0, sources: [], packedChunks: [], leftOut: [] };
  const ids = new Set<string>();
  const texts = new Set<string>();
  for (const [index, hit] of hits.entries()) {
    const chunk = chunkOf.get(hit.chunkId);
    const leaveOut = (reason: "budget" | "duplicate" | "missing"): void => {
      packed.leftOut.push({ chunkId: hit.chunkId, reason });
    };
    if (chunk === undefined) {
      leaveOut("missing");
      continue;
    }
    const said = bare(chunk.text);
    if (ids.has(chunk.id) || texts.has(said)) {
      leaveOut("duplicate");
      continue;
    }
    const number = packed.sources.length + 1;
    const citation = citationOf(hit);
    const text = `${packed.text === "" ? "" : `${packed.text}\n\n`}${head(number, citation)}\n${chunk.text}`;
    const tokens = packed.sources.length < maxChunks ? requireCount(countTokens(text)) : Number.POSITIVE_INFINITY;
    // Whatever the counter says of parts: the whole counts.
    if (tokens > maxTokens) {
      leaveOut("budget");
      continue;
    }
    ids.add(chunk.id);
    texts.add(said);
    packed.sources.push({ number, citation });
    packed.packedChunks.push({
      chunkId: chunk.id,
      documentId: hit.documentId,
      number,
      rank: index + 1,
      score: hit.score,
      tokens: Math.max(0, tokens - packed.tokens),
    });
    packed.text = text;
    packed.tokens = tokens;
  }
  return packed;
}

function checkOptions(options: PackOptions): Required<PackOptions> {
  const { maxTokens, maxChunks, countTokens } = requireObject(SITE, "options", options, OPTIONS);
  const inner: CallSite = { ...SITE, within: "options" };
  if (countTokens !== undefined && typeof countTokens !== "function") {
    throw refusal(SITE, "options.countTokens takes a function that counts the tokens of a text");
  }
  return {
    maxTokens: requireInteger(inner, "maxTokens", maxTokens, 1, MAX_TOKENS),
    maxChunks: requireInteger(inner, "maxChunks", maxChunks ?? MAX_CITATIONS, 1, MAX_CITATIONS),
    countTokens: (countTokens as PackOptions["countTokens"]) ?? estimateTokens,
  };
}

function requireCount(tokens: unknown): number {
  if (typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens >= 0) return tokens;
  throw refusal(SITE, `options.countTokens returned ${describe(tokens)}; it returns an integer from 0`);
}

function citationOf({ chunkId, documentId, title, citation }: SearchHit): ChatCitation {
  const { workspacePath, headingPath, span } = citation;
  return { chunkId, documentId, title, workspacePath, headingPath, span };
}

function head(number: number, { title, headingPath, workspacePath, span }: ChatCitation): string {
  const headings = headingPath[0] === title ? headingPath.slice(1) : headingPath;
  const name = [title, ...headings].filter((part) => part !== "").join(" › ");
  return `[${number}] ${name === "" ? "" : `${name} `}(${workspacePath}:${span.start}-${span.end})`;
}

/** What the text says, whatever space is in it. */
function bare(text: string): string {
  return text.replaceAll(/\s+/gu, " ").trim();
}
