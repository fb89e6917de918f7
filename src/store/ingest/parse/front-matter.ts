import { parse as parseYaml } from "yaml";
import { cleanLine, cleanTitle, tagsFrom } from "./document-title.ts";
import type { ParsedBlock } from "./parsed-document.ts";

/** Front matter above this is not read: it is data, not a description of a document. */
const LONGEST_FRONT_MATTER = 64 * 1024;

/** What stands above the text of a Markdown document. */
export class FrontMatter {
  /** Offset in the text and line at which front matter ends; 0 without one. */
  readonly end: number;
  readonly lastLine: number;
  /** JSON values; `_frontMatterError` when it cannot be read. */
  readonly metadata: Record<string, unknown>;
  readonly title: string | null;
  readonly lang: string | null;
  readonly tags: string[];
  readonly trust: number | null;
  readonly #source: string;

  constructor(source: string, end: number, lastLine: number, metadata: Record<string, unknown>) {
    this.#source = source;
    this.end = end;
    this.lastLine = lastLine;
    this.metadata = metadata;
    this.title = cleanTitle(metadata["title"]);
    this.lang = cleanTitle(metadata["lang"] ?? metadata["language"] ?? metadata["locale"]);
    this.tags = [...new Set([...tagsFrom(metadata["tags"]), ...tagsFrom(metadata["keywords"])])];
    const trust = metadata["trust"];
    this.trust = typeof trust === "number" && trust >= 0 && trust <= 1 ? trust : null;
  }

  /** Returns title and description as a block, so that they are found; the title only where no heading says it. */
  block(firstHeading: string | null): ParsedBlock | null {
    const title = this.title === firstHeading ? null : cleanLine(this.metadata["title"]);
    const description = cleanLine(this.metadata["description"]);
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

/** Reads YAML (`---`) or TOML (`+++`) front matter; it begins in the first line. */
export function readFrontMatter(text: string): FrontMatter {
  const opening = OPENING.exec(text);
  if (opening === null) return new FrontMatter("", 0, 0, {});
  const bodyStart = opening[0].length;
  const closing = opening[1] === "---" ? /^(?:---|\.\.\.)[ \t]*$/gm : /^\+\+\+[ \t]*$/gm;
  closing.lastIndex = bodyStart;
  const close = closing.exec(text);
  if (close === null) return new FrontMatter("", 0, 0, {});
  const source = text.slice(bodyStart, Math.max(bodyStart, close.index - 1));
  const lineBreak = text.indexOf("\n", close.index);
  const end = lineBreak === -1 ? text.length : lineBreak + 1;
  let lastLine = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < close.index; at = text.indexOf("\n", at + 1)) lastLine++;
  return new FrontMatter(source, end, lastLine, opening[1] === "---" ? yamlMetadata(source) : tomlMetadata(source));
}

function yamlMetadata(source: string): Record<string, unknown> {
  if (source.length > LONGEST_FRONT_MATTER) {
    return { _frontMatterError: `longer than ${LONGEST_FRONT_MATTER} characters` };
  }
  if (isAbsurdlyNested(source)) return { _frontMatterError: `nested deeper than ${DEEPEST_YAML} levels` };
  try {
    const simple = plainYaml(source);
    // Through JSON: no dates, no cycles, nothing that a database row or a worker message cannot hold.
    const value: unknown = simple ?? JSON.parse(JSON.stringify(parseYaml(source, { logLevel: "error" }) ?? {}));
    if (isRecord(value)) return value;
    return { _frontMatterError: "is not a list of keys and values" };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { _frontMatterError: message.split("\n", 1)[0]!.slice(0, 300) };
  }
}

const DEEPEST_YAML = 100;

/** The YAML parser is recursive, and some engines cannot be brought back from the end of their stack. */
function isAbsurdlyNested(source: string): boolean {
  let depth = 0;
  for (const [mark] of source.matchAll(/[[\]{}]|(?:[-?:][ \t]+){50}/g)) {
    if (mark.length > 1) return true;
    depth += mark === "[" || mark === "{" ? 1 : -1;
    if (depth > DEEPEST_YAML) return true;
    depth = Math.max(0, depth);
  }
  return false;
}

const PLAIN_LINE = /^([A-Za-z_][\w-]*): +(?:"([^"\\]*)"|'([^'\\]*)'|([A-Za-z][^\n:#"'{}[\]&*!|>%@`]*))$/;
const RESERVED = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/**
 * Reads front matter that is nothing but `key: text` lines, as most is; `null` for all other. A full YAML parser takes
 * longer over front matter than the Markdown parser over the text.
 */
function plainYaml(source: string): Record<string, unknown> | null {
  const values: Record<string, unknown> = {};
  for (const line of source.split("\n")) {
    const match = PLAIN_LINE.exec(line.trimEnd());
    if (match === null) return null;
    const key = match[1]!;
    if (RESERVED.test(key) || key === "__proto__" || Object.hasOwn(values, key)) return null;
    const plain = match[4];
    if (plain === undefined) values[key] = match[2] ?? match[3] ?? "";
    else if (plain === "true" || plain === "false") values[key] = plain === "true";
    else if (RESERVED.test(plain)) return null;
    else values[key] = plain.trimEnd();
  }
  return values;
}

const TOML_LINE =
  /^([A-Za-z0-9_-]+)\s*=\s*("(?:[^"\\]|\\.)*"|'[^']*'|\[[^\]]*\]|true|false|-?\d+(?:\.\d+)?)\s*(?:#.*)?$/;

/** Takes the simple keys out of TOML front matter and keeps its source in `_toml`. */
function tomlMetadata(source: string): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const line of source.split("\n")) {
    if (line.startsWith("[")) break;
    const match = TOML_LINE.exec(line.trim());
    if (match === null) continue;
    const value = jsonValue(match[2]!.startsWith("'") ? JSON.stringify(match[2]!.slice(1, -1)) : match[2]!);
    if (value !== undefined && match[1] !== "__proto__") values[match[1]!] = value;
  }
  return { ...values, _toml: source.slice(0, LONGEST_FRONT_MATTER) };
}

function jsonValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A TOML value that is not also JSON (dates, other escapes) stays in `_toml` alone.
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
