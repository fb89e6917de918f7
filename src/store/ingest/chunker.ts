import type { CheckedChunkingPolicy } from "../../contracts/check-ingest.ts";
import type { Chunk } from "../../contracts/documents.ts";
import type { ChunkingPolicy } from "../../contracts/store.ts";
import { chunkId } from "../ids.ts";
import { type IdentifiedBlock, isSolid, type Piece, piecesOf, tailOf } from "./chunk-pieces.ts";
import { chunkingPolicy, policyHash } from "./chunking-policy.ts";
import { estimateTokens, isWithin } from "./token-estimate.ts";

export { policyHash } from "./chunking-policy.ts";

/** Changes whenever the same blocks and policy would give other chunks. */
export const CHUNKER_VERSION = "heading-3";

/**
 * Cuts a document into chunks that follow its headings.
 *
 * A chunk belongs to one section and one heading path. Code fences and tables stay whole up to `maxTokens`; prose is
 * cut at sentences above `targetTokens`. A chunk repeats the last sentences of the one before it in its section, up to
 * `overlapTokens`; they count in its text, tokens and span, not in its block ids. The text of a heading is in the
 * heading path of its chunks; a heading without any text below is a chunk of its own. Deterministic.
 *
 * @throws StorageError INVALID_INPUT when the policy is none
 */
export function chunkBlocks(
  documentId: string,
  blocks: readonly IdentifiedBlock[],
  policy: ChunkingPolicy = {},
): Chunk[] {
  const checked = chunkingPolicy(policy);
  const writer = new ChunkWriter(documentId, checked);
  let body: Piece[] = [];
  for (const block of blocks) {
    if (block.kind === "heading") {
      writer.section(body);
      body = [];
      writer.heading(block);
    } else {
      for (const piece of piecesOf(block, checked)) body.push(piece);
    }
  }
  writer.section(body);
  return writer.end();
}

/** A chunk that is being filled. */
interface Draft {
  overlap: ReturnType<typeof tailOf>;
  pieces: Piece[];
  tokens: number;
  /** Characters of the pieces, each with what joins it to the next. */
  length: number;
}

class ChunkWriter {
  readonly #documentId: string;
  readonly #policy: CheckedChunkingPolicy;
  readonly #policyHash: string;
  readonly #chunks: Chunk[] = [];
  /** Headings whose text is in no chunk yet, outermost first. */
  #headings: IdentifiedBlock[] = [];

  constructor(documentId: string, policy: CheckedChunkingPolicy) {
    this.#documentId = documentId;
    this.#policy = policy;
    this.#policyHash = policyHash(policy);
  }

  heading(heading: IdentifiedBlock): void {
    const above = this.#headings[this.#headings.length - 1];
    if (above !== undefined && rank(above) >= rank(heading)) this.#writeHeading();
    this.#headings.push(heading);
  }

  /** Writes the chunks of one section. */
  section(pieces: readonly Piece[]): void {
    for (const draft of this.#pack(pieces)) this.#write(draft);
  }

  end(): Chunk[] {
    if (this.#headings.length > 0) this.#writeHeading();
    return this.#chunks;
  }

  #pack(pieces: readonly Piece[]): Draft[] {
    const { targetTokens, overlapTokens, maxTokens } = this.#policy;
    const drafts: Draft[] = [];
    for (const piece of pieces) {
      const draft = drafts.at(-1);
      if (draft !== undefined && fits(draft, piece, this.#policy)) {
        draft.pieces.push(piece);
        draft.tokens += piece.tokens;
        draft.length += lengthOf(piece);
        continue;
      }
      const last = draft?.pieces.at(-1);
      const tail = last === undefined ? null : tailOf(last, overlapTokens);
      const overlap = tail !== null && tail.tokens + piece.tokens <= maxTokens ? tail : null;
      const tokens = piece.tokens + (overlap?.tokens ?? 0);
      drafts.push({ overlap, pieces: [piece], tokens, length: lengthOf(piece) });
    }
    mergeScrap(drafts, targetTokens, maxTokens);
    return drafts;
  }

  #write(draft: Draft): void {
    const { overlap, pieces, tokens } = draft;
    const first = pieces[0]!;
    let text = overlap === null ? first.text : `${overlap.text}\n\n${first.text}`;
    for (let i = 1; i < pieces.length; i++) {
      const joint = pieces[i]!.block === pieces[i - 1]!.block ? "\n" : "\n\n";
      text += joint + pieces[i]!.text;
    }
    let { start, end } = overlap ?? first;
    for (const piece of pieces) {
      start = Math.min(start, piece.start);
      end = Math.max(end, piece.end);
    }
    this.#add(pieces, first.block.headingPath, text, start, end, tokens);
  }

  /** Writes a heading that has nothing below it. */
  #writeHeading(): void {
    const heading = this.#headings[this.#headings.length - 1]!;
    const { start, end } = heading.span;
    const { text, tokens } = headingText(heading, this.#policy);
    this.#add([], heading.headingPath, text, start, end, tokens);
  }

  #add(
    pieces: readonly Piece[],
    headingPath: readonly string[],
    text: string,
    start: number,
    end: number,
    tokenCount: number,
  ): void {
    const headings = this.#headings;
    this.#headings = [];
    const blockIds = [...headings.map((heading) => heading.id), ...pieces.map((piece) => piece.id)];
    this.#chunks.push({
      id: chunkId({
        documentId: this.#documentId,
        blockIds,
        chunkerVersion: CHUNKER_VERSION,
        policyHash: this.#policyHash,
      }),
      documentId: this.#documentId,
      ordinal: this.#chunks.length,
      blockIds,
      headingPath: [...headingPath],
      text,
      span: { kind: "line", start: Math.min(start, headings[0]?.span.start ?? start), end },
      tokenCount,
      chunkerVersion: CHUNKER_VERSION,
      policyHash: this.#policyHash,
    });
  }
}

/** A piece joins a chunk that stays within the target; a long one also a chunk that only leads up to it (`Example:`). */
function fits(draft: Draft, piece: Piece, policy: CheckedChunkingPolicy): boolean {
  const together = draft.tokens + piece.tokens;
  const length = draft.length + lengthOf(piece);
  if (isWithin(policy.targetTokens, together, length)) return true;
  const leadsUp = isSolid(piece.block) && draft.tokens < policy.targetTokens / 4;
  return leadsUp && isWithin(policy.maxTokens, together, length);
}

function lengthOf(piece: Piece): number {
  return piece.text.length + "\n\n".length;
}

/** A last chunk of a few words goes into the one before. */
function mergeScrap(drafts: Draft[], targetTokens: number, maxTokens: number): void {
  const last = drafts[drafts.length - 1];
  const before = drafts[drafts.length - 2];
  if (last === undefined || before === undefined) return;
  const own = last.tokens - (last.overlap?.tokens ?? 0);
  const limit = Math.min(maxTokens, targetTokens * 1.25);
  if (own > targetTokens / 8 || !isWithin(limit, before.tokens + own, before.length + last.length)) return;
  for (const piece of last.pieces) before.pieces.push(piece);
  before.tokens += own;
  before.length += last.length;
  drafts.pop();
}

function rank(heading: IdentifiedBlock): number {
  return heading.depth ?? heading.headingPath.length;
}

function headingText(heading: IdentifiedBlock, policy: CheckedChunkingPolicy): { text: string; tokens: number } {
  const tokens = estimateTokens(heading.text);
  if (isWithin(policy.maxTokens, tokens, heading.text.length)) return { text: heading.text, tokens };
  const [first] = piecesOf({ ...heading, kind: "paragraph" }, { ...policy, targetTokens: policy.maxTokens });
  return { text: first!.text, tokens: first!.tokens };
}
