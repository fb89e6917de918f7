import type { CheckedChunkingPolicy } from "../../contracts/check-ingest.ts";
import type { ParsedBlock } from "./parse/parsed-document.ts";
import { cutLines, cutProse, sentences, type TextPart } from "./text-cut.ts";
import { estimateTokens, isWithin } from "./token-estimate.ts";

/** A block that has its id. */
export type IdentifiedBlock = ParsedBlock & { id: string };

/** What goes into one chunk whole: a block, or a part of one that is too long. */
export interface Piece {
  /** Id of the block, `<id>/<n>` for part `n` (from 1). */
  id: string;
  block: IdentifiedBlock;
  /** Its stretch of the block's text. */
  source: string;
  /** `source` as it is shown: wide lines joined, in a table under its header. */
  text: string;
  tokens: number;
  /** First and last source line. */
  start: number;
  end: number;
  /** Source line of every line of `source`, empty when they are not known. */
  lines: readonly number[];
}

/** Whether a block is kept in one piece as long as no chunk forbids it. */
export function isSolid(block: ParsedBlock): boolean {
  return block.kind === "code" || block.kind === "table";
}

/** Cuts a block into the pieces that chunks are made of. */
export function piecesOf(block: IdentifiedBlock, policy: CheckedChunkingPolicy): Piece[] {
  const tokens = estimateTokens(block.text);
  const solid = isSolid(block);
  const limit = solid ? policy.maxTokens : policy.targetTokens;
  if (isWithin(limit, tokens, block.text.length)) {
    const { id, span, text } = block;
    const { start, end } = span;
    return [{ id, block, source: text, text: readable(block, text), tokens, start, end, lines: block.lines ?? [] }];
  }
  if (block.kind === "table") return tablePieces(block, policy);
  return numbered(block, solid ? cutLines(block.text, limit) : cutProse(block.text, limit));
}

/** A row that names the columns is repeated in every part, unless it is so long that it would fill them. */
function tablePieces(block: IdentifiedBlock, policy: CheckedChunkingPolicy): Piece[] {
  const header = block.hasHeader !== true ? "" : block.text.slice(0, Math.max(0, block.text.indexOf("\n")));
  const headerTokens = estimateTokens(header);
  if (header === "" || !isWithin(policy.maxTokens / 4, headerTokens, header.length))
    return numbered(block, cutLines(block.text, policy.maxTokens));
  const pieces = numbered(block, cutLines(block.text, policy.maxTokens - headerTokens));
  for (const piece of pieces.slice(1)) {
    piece.text = `${header}\n${piece.text}`;
    piece.tokens += headerTokens;
  }
  return pieces;
}

function numbered(block: IdentifiedBlock, parts: readonly TextPart[]): Piece[] {
  const lines = new SourceLines(block);
  const pieces: Piece[] = [];
  for (const { start, end, tokens } of parts) {
    const text = block.text.slice(start, end);
    const kept = isSolid(block) ? text.replace(/^\n+/, "").trimEnd() : text.trim();
    if (kept === "") continue;
    const from = start + text.indexOf(kept);
    const id = `${block.id}/${pieces.length + 1}`;
    const where = lines.of(from, from + kept.length);
    pieces.push({ id, block, source: kept, text: readable(block, kept), tokens, ...where });
  }
  // Whole blocks keep their marks (code fences) in their span; so do the first and last part.
  const last = pieces[pieces.length - 1];
  if (last !== undefined) {
    pieces[0]!.start = block.span.start;
    last.end = block.span.end;
  }
  return pieces;
}

/** Returns the trailing sentences of a piece of prose, at most `limit` tokens of them; null when there are none. */
export function tailOf(
  piece: Piece,
  limit: number,
): { text: string; tokens: number; start: number; end: number } | null {
  if (limit === 0 || isSolid(piece.block)) return null;
  const parts = sentences(piece.source);
  let first = parts.length;
  let tokens = 0;
  const end = piece.source.length;
  while (first > 0) {
    const { start, tokens: more } = parts[first - 1]!;
    if (!isWithin(limit, tokens + more, end - start)) break;
    tokens += more;
    first--;
  }
  if (tokens === 0) return null;
  const from = parts[first]!.start;
  const start = piece.lines[countBreaks(piece.source, 0, from)] ?? piece.start;
  const text = readable(piece.block, piece.source.slice(from).trimEnd());
  return { text, tokens, start, end: piece.end };
}

/** Finds the source lines of stretches of a block's text, asked for in order. */
class SourceLines {
  readonly #block: IdentifiedBlock;
  #offset = 0;
  #index = 0;

  constructor(block: IdentifiedBlock) {
    this.#block = block;
  }

  of(start: number, end: number): Pick<Piece, "start" | "end" | "lines"> {
    const first = this.#lineAt(start);
    const from = this.#index;
    const last = this.#lineAt(end);
    return { start: first.start, end: last.end, lines: this.#block.lines?.slice(from, this.#index + 1) ?? [] };
  }

  #lineAt(offset: number): { start: number; end: number } {
    this.#index += countBreaks(this.#block.text, this.#offset, offset);
    this.#offset = offset;
    const line = this.#block.lines?.[this.#index];
    return line === undefined ? this.#block.span : { start: line, end: this.#block.lineEnds?.[this.#index] ?? line };
  }
}

function countBreaks(text: string, start: number, end: number): number {
  let breaks = 0;
  for (let at = text.indexOf("\n", start); at !== -1 && at < end; at = text.indexOf("\n", at + 1)) breaks++;
  return breaks;
}

const WIDE = "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\u3000-\u303f\uff00-\uffef";
const WIDE_LINE_BREAK = new RegExp(`(?<=[${WIDE}])\\n *(?=[${WIDE}])`, "gu");

/** Joins the lines of scripts that know no space between words: a word there may run over the end of a line. */
function readable(block: ParsedBlock, text: string): string {
  return isSolid(block) || !text.includes("\n") ? text : text.replace(WIDE_LINE_BREAK, "");
}
