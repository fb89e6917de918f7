import { decodeString } from "micromark-util-decode-string";
import type { Chunk, Create, Event, ParseContext, Point, Token, TokenizeContext } from "micromark-util-types";
import { tagText } from "./mdx-syntax.ts";
import type { TextLines } from "./text-lines.ts";

/**
 * Inline content (emphasis, links, code spans …) put off until the block structure stands, and then read only where a
 * character of markup occurs. Most paragraphs have none, so most text is never tokenized character by character.
 *
 * micromark asks its parse context for a tokenizer of each piece of text; {@link deferInline} makes it hand out this
 * class instead, which keeps the pieces. The events of the document then hold one event pair per line of text, whose
 * first token leads back here.
 */
export class InlineText {
  readonly #parser: ParseContext;
  readonly #createText: Create;
  readonly #context: TokenizeContext;
  readonly #pieces: { start: Point; stream: Chunk[] }[] = [];
  #nextStart: Point;
  #taskItem = false;

  /** Read by micromark in place of a tokenizer's events. */
  events: Event[] = [];
  /** Set by micromark while it writes the first text of a list item, where `[x]` may stand. */
  _gfmTasklistFirstContentOfListItem?: boolean;

  constructor(parser: ParseContext, createText: Create, start: Point, context: TokenizeContext) {
    this.#parser = parser;
    this.#createText = createText;
    this.#nextStart = start;
    this.#context = context;
  }

  defineSkip(start: Point): void {
    this.#nextStart = start;
  }

  write(stream: Chunk[]): Event[] {
    const start = this.#nextStart;
    if (this.#pieces.length > 0) this.#addPair("lineEnding", start, { ...start, line: start.line + 1 });
    else this.#taskItem = this._gfmTasklistFirstContentOfListItem === true;
    const token = this.#addPair("data", start, start);
    if (this.#pieces.length === 0) INLINE_OF.set(token, this);
    this.#pieces.push({ start, stream });
    return this.events;
  }

  /** Appends the readable text, line by line. */
  readInto(lines: TextLines): void {
    let markers = 0;
    for (const { stream } of this.#pieces) markers += countMarkers(stream);
    if (markers === 0 || markers > MOST_MARKERS) {
      for (const { start, stream } of this.#pieces) lines.append(serialize(stream), start.line);
    } else {
      readEvents(this.#tokenize(), lines);
    }
  }

  #tokenize(): Event[] {
    const tokenizer = this.#createText.call(this.#parser, this.#pieces[0]?.start);
    this.#pieces.forEach(({ start, stream }, index) => {
      if (index > 0) tokenizer.defineSkip(start);
      tokenizer._gfmTasklistFirstContentOfListItem = index === 0 && this.#taskItem;
      tokenizer.write(stream);
    });
    return tokenizer.events;
  }

  #addPair(type: "data" | "lineEnding", start: Point, end: Point): Token {
    const token: Token = { type, start, end };
    this.events.push(["enter", token, this.#context], ["exit", token, this.#context]);
    return token;
  }
}

const INLINE_OF = new WeakMap<Token, InlineText>();

/** Returns the inline text that begins with this token of a document's events. */
export function inlineTextOf(token: Token): InlineText | undefined {
  return INLINE_OF.get(token);
}

/** Makes a parse context keep its inline text for later, and drop the strings (labels, info) that are no text. */
export function deferInline(parser: ParseContext): void {
  const { text } = parser;
  const context = text({ line: 1, column: 1, offset: 0 });
  const defer = (from?: Partial<Point> | null): TokenizeContext =>
    new InlineText(parser, text, from as Point, context) as unknown as TokenizeContext;
  parser.text = defer;
  parser.string = defer;
}

/** Above this many characters of markup in one paragraph its markup is kept as text: links in links in links are quadratic. */
const MOST_MARKERS = 5000;

const MARKER = /[\\`*_~<&]|!?\[/g;

/** Images nest, and each looks through all that are open: one counts as much as ten other markers. */
const IMAGE_WEIGHT = 10;

function countMarkers(stream: readonly Chunk[]): number {
  let markers = 0;
  for (const chunk of stream) {
    if (typeof chunk !== "string") continue;
    MARKER.lastIndex = 0;
    for (let match = MARKER.exec(chunk); match !== null; match = MARKER.exec(chunk)) {
      markers += match[0].length === 1 ? 1 : IMAGE_WEIGHT;
    }
  }
  return markers;
}

/** micromark writes line ends and tabs as negative numbers: -5 CR, -4 LF, -3 CRLF, -2 tab, -1 the rest of a tab. */
function serialize(stream: readonly Chunk[]): string {
  let text = "";
  for (const chunk of stream) {
    if (typeof chunk === "string") text += chunk;
    else if (chunk === -2) text += "\t";
    else if (chunk !== null && chunk >= 0) text += String.fromCharCode(chunk);
  }
  return text;
}

/** Tokens whose content is shown to the reader. */
const SHOWN: ReadonlySet<string> = new Set([
  "data",
  "characterEscapeValue",
  "codeTextData",
  "autolinkProtocol",
  "autolinkEmail",
]);

/** Tokens of which nothing is shown: targets, footnote calls, check boxes. */
const HIDDEN: ReadonlySet<string> = new Set(["resource", "reference", "gfmFootnoteCall", "taskListCheck"]);

function readEvents(events: readonly Event[], lines: TextLines): void {
  let hidden = 0;
  for (const [phase, token, context] of events) {
    const type: string = token.type;
    if (HIDDEN.has(type)) hidden += phase === "enter" ? 1 : -1;
    else if (phase === "enter" || hidden > 0) continue;
    else if (SHOWN.has(type)) lines.append(context.sliceSerialize(token), token.start.line);
    else if (type === "characterReference") lines.append(decodeString(context.sliceSerialize(token)), token.start.line);
    else if (type === "htmlText") lines.append(decodeString(tagText(context.sliceSerialize(token))), token.start.line);
  }
}
