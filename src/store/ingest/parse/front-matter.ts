import { MAX_METADATA_BYTES } from "../../../contracts/check-documents.ts";
import { clip } from "./block-writer.ts";
import { cleanLine, cleanTitle, tagsFrom } from "./document-title.ts";
import { readToml, readYaml, type Values } from "./front-matter-values.ts";
import type { ParsedBlock } from "./parsed-document.ts";
import { countLines, lineNumbers } from "./source-lines.ts";

/** What stands above the text of a Markdown document. */
export class FrontMatter {
  /** Offset in the text and line at which front matter ends; 0 without one. */
  readonly end: number;
  readonly lastLine: number;
  /** JSON values, those that metadata has room for; `_frontMatterError` says what could not be read or kept. */
  readonly metadata: Record<string, unknown>;
  readonly title: string | null;
  readonly lang: string | null;
  readonly tags: string[];
  readonly trust: number | null;
  readonly #source: string;
  readonly #values: Values;
  readonly #isBroken: boolean;

  /** @param error why the source could not be read as a whole. */
  constructor(source: string, end: number, lastLine: number, values: Values, error: string | null = null) {
    this.#source = source;
    this.#values = values;
    this.#isBroken = error !== null;
    this.end = end;
    this.lastLine = lastLine;
    this.metadata = metadataOf(values, error);
    this.title = cleanTitle(values["title"]);
    this.lang = cleanTitle(values["lang"] ?? values["language"] ?? values["locale"]);
    this.tags = [...new Set([...tagsFrom(values["tags"]), ...tagsFrom(values["keywords"])])];
    const trust = values["trust"];
    this.trust = typeof trust === "number" && trust >= 0 && trust <= 1 ? trust : null;
  }

  /** Returns title and description as a block, so that they are found; the title only where no heading says it. All of
   *  front matter that cannot be read. */
  block(firstHeading: string | null): ParsedBlock | null {
    if (this.#isBroken) return this.#sourceBlock();
    const title = this.title === firstHeading ? null : cleanLine(this.#values["title"]);
    const description = cleanLine(this.#values["description"]);
    const parts = [title, description].filter((part) => part !== null);
    if (parts.length === 0) return null;
    const spans = [
      ...(title === null ? [] : [this.#linesOf("title")]),
      ...(description === null ? [] : [this.#linesOf("description")]),
    ];
    const start = Math.min(...spans.map((span) => span.start));
    const end = Math.max(...spans.map((span) => span.end));
    return { kind: "frontmatter", headingPath: [], span: { kind: "line", start, end }, text: parts.join("\n") };
  }

  #sourceBlock(): ParsedBlock {
    const text = this.#source.trim();
    // Line 1 is the opening mark.
    const start = 2 + countLines(this.#source, 0, this.#source.indexOf(text));
    const lines = lineNumbers(start, 1 + countLines(text, 0, text.length));
    const span = { kind: "line", start, end: lines[lines.length - 1]! } as const;
    return { kind: "frontmatter", headingPath: [], span, text, lines };
  }

  /** The lines of a top-level key and its value, all of front matter when the key is not written in the plain way. */
  #linesOf(key: string): { start: number; end: number } {
    const lines = this.#source.split("\n");
    const first = lines.findIndex((line) => new RegExp(`^["']?${key}["']?\\s*[:=]`).test(line));
    if (first === -1) return { start: 1, end: this.lastLine };
    let last = first;
    while (last + 1 < lines.length && /^(?:[ \t]|$)/.test(lines[last + 1]!)) last++;
    while (last > first && lines[last]!.trim() === "") last--;
    // Line 1 is the opening mark.
    return { start: first + 2, end: last + 2 };
  }
}

const OPENING = /^(---|\+\+\+)[ \t]*\n/;

/**
 * Reads YAML (`---`) or TOML (`+++`) front matter; it begins in the first line. What stands between two such lines and
 * holds no keys is text, and so is what blank lines part from both: those lines are thematic breaks.
 */
export function readFrontMatter(text: string): FrontMatter {
  return frontMatterAt(text) ?? new FrontMatter("", 0, 0, {});
}

function frontMatterAt(text: string): FrontMatter | null {
  const opening = OPENING.exec(text);
  if (opening === null) return null;
  const isYaml = opening[1] === "---";
  const bodyStart = opening[0].length;
  const closing = isYaml ? /^(?:---|\.\.\.)[ \t]*$/gm : /^\+\+\+[ \t]*$/gm;
  closing.lastIndex = bodyStart;
  const close = closing.exec(text);
  if (close === null) return null;
  const source = text.slice(bodyStart, Math.max(bodyStart, close.index - 1));
  if (isYaml && isBetweenRules(source)) return null;
  const read = isYaml ? readYaml(source) : readToml(source);
  if (read === null) return null;
  const lineBreak = text.indexOf("\n", close.index);
  const end = lineBreak === -1 ? text.length : lineBreak + 1;
  const lastLine = 1 + countLines(text, 0, close.index);
  return new FrontMatter(source, end, lastLine, read.values, read.error);
}

/** Whether blank lines part a source from the marks around it, and no key is the first that stands there. */
function isBetweenRules(source: string): boolean {
  return source.trim() !== "" && /^[ \t]*\n(?!\s*[a-z_][\w-]*:\s)/.test(source) && /\n[ \t]*$/.test(source);
}

/** Bytes as JSON of what a document may say of itself; the rest of its metadata is left to those who ingest it. */
const ROOM = MAX_METADATA_BYTES - 16_384;
/** Lists and objects in a value, with room for those around it. */
const DEEPEST_VALUE = 60;

function metadataOf(values: Values, error: string | null): Record<string, unknown> {
  let room = ROOM;
  const left: string[] = [];
  const kept = Object.entries(values).filter(([key, value]) => {
    const bytes = new TextEncoder().encode(JSON.stringify({ [key]: value })).byteLength;
    const isKept = bytes <= room && !isDeeper(value, DEEPEST_VALUE);
    if (isKept) room -= bytes;
    else left.push(key);
    return isKept;
  });
  // Not by assignment: `__proto__` is a key like any other.
  const metadata = Object.fromEntries(kept);
  const problem = error ?? (left.length > 0 ? `left out, too large or too deep: ${left.join(", ")}` : null);
  if (problem !== null) metadata["_frontMatterError"] = clip(problem, 300);
  return metadata;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1));
}
