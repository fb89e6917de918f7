import type { BlockKind } from "../../../contracts/documents.ts";
import type { ParsedBlock } from "./parsed-document.ts";

/** Characters of a heading that go into heading paths; its block keeps all of them. */
const LONGEST_PATH_PART = 400;

/** Collects the blocks of a document in order and knows the headings above. */
export class BlockWriter {
  readonly blocks: ParsedBlock[] = [];
  /** Text of the first heading of rank 1. */
  firstHeading: string | null = null;
  readonly #open: { depth: number; text: string }[] = [];
  #path: readonly string[] = [];

  /** Adds a heading; its section ends at the next heading of its rank or above. An empty one only ends sections. */
  heading(text: string, depth: number, start: number, end: number): void {
    while (this.#open.length > 0 && this.#open[this.#open.length - 1]!.depth >= depth) this.#open.pop();
    const line = text.replace(/\s+/g, " ").trim();
    if (line !== "") {
      const part = line.length > LONGEST_PATH_PART ? `${clip(line, LONGEST_PATH_PART)}…` : line;
      this.#open.push({ depth, text: part });
      if (depth === 1) this.firstHeading ??= part;
    }
    this.#path = this.#open.map((heading) => heading.text);
    if (line !== "") {
      this.blocks.push({
        kind: "heading",
        headingPath: this.#path,
        span: { kind: "line", start, end },
        text: line,
        depth,
      });
    }
  }

  /** Adds a block; one without text is left out.
   *  @param lines source line of every line of `text`.
   *  @param table what is known of the rows of a table. */
  add(
    kind: BlockKind,
    text: string,
    start: number,
    end: number,
    lines?: readonly number[],
    table?: Pick<ParsedBlock, "lineEnds" | "hasHeader">,
  ): void {
    if (text.trim() === "") return;
    const block: ParsedBlock = { kind, headingPath: this.#path, span: { kind: "line", start, end }, text, ...table };
    if (lines !== undefined && lines.length > 1) block.lines = lines;
    this.blocks.push(block);
  }

  /** Adds a block as it was read elsewhere, under the headings above. */
  take(block: ParsedBlock): void {
    this.blocks.push({ ...block, headingPath: this.#path });
  }
}

/** Returns at most `length` UTF-16 units of a text and no half of a character. */
export function clip(text: string, length: number): string {
  const code = text.charCodeAt(length - 1);
  return text.slice(0, code >= 0xd800 && code < 0xdc00 ? length - 1 : length);
}
