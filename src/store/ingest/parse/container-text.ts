import type { BlockWriter } from "./block-writer.ts";
import { TextLines } from "./text-lines.ts";

/** Characters after which a list begins a new block with its next item. */
const LONG_LIST = 1500;

const GITHUB_ALERT = /^\[!(?:note|tip|important|warning|caution)\]$/i;

/** The text of a list, quote or footnote with all that is nested in it, on its way to become blocks. */
export class ContainerText {
  readonly #writer: BlockWriter;
  readonly #kind: "list" | "quote" | "footnote";
  #lines = new TextLines();
  #size = 0;
  #start = 0;
  #end = 0;
  /** Whether the next text is the first of its item. */
  #atItem = false;

  constructor(writer: BlockWriter, kind: "list" | "quote" | "footnote") {
    this.#writer = writer;
    this.#kind = kind;
  }

  beginItem(listDepth: number): void {
    if (listDepth === 1 && this.#size > LONG_LIST) this.flush();
    this.#atItem = true;
  }

  /** Returns where the inline text of a paragraph or heading goes. */
  beginText(listDepth: number): TextLines {
    const indent = "  ".repeat(Math.min(listDepth, 32));
    this.#lines.begin(this.#atItem ? `${indent.slice(2)}- ` : indent, indent);
    this.#atItem = false;
    return this.#lines;
  }

  endText(start: number, end: number): void {
    if (this.#start === 0) this.#start = start;
    this.#end = end;
    this.#size += this.#lines.texts[this.#lines.texts.length - 1]?.length ?? 0;
  }

  /** Makes a block of what came so far. */
  flush(): void {
    const { texts, lines } = this.#lines.tidy();
    if (this.#kind === "quote" && GITHUB_ALERT.test(texts[0] ?? "")) {
      texts.shift();
      lines.shift();
    }
    this.#writer.add(this.#kind, texts.join("\n"), this.#start, this.#end, lines);
    this.#lines = new TextLines();
    this.#size = 0;
    this.#start = 0;
    this.#atItem = false;
  }
}
