import { clip } from "./block-writer.ts";

/** Returns the file name of a path without its ending, for documents that say no title. */
export function titleFromPath(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return (dot > 0 ? name.slice(0, dot) : name) || path;
}

const LONGEST_TITLE = 1000;

/** Halves of characters, and U+0000: no text of a document holds them, but escapes in YAML and TOML can say them. */
const UNSTORABLE = /[\0\p{Surrogate}]/gu;

/** Returns a text on one line, `null` when there is none. */
export function cleanLine(value: unknown): string | null {
  if (typeof value !== "string" && typeof value !== "number") return null;
  const line = String(value).replace(UNSTORABLE, "\ufffd").replace(/\s+/g, " ").trim();
  return line === "" ? null : line;
}

/** Returns a title on one line, at most 1000 UTF-16 units of it; `null` when there is none. */
export function cleanTitle(value: unknown): string | null {
  const line = cleanLine(value);
  return line === null ? null : clip(line, LONGEST_TITLE).trimEnd();
}

const MOST_TAGS = 100;
const LONGEST_TAG = 100;

/** Returns the tags in a list or a comma-separated text, trimmed, without repeats. */
export function tagsFrom(value: unknown): string[] {
  const items: unknown[] = Array.isArray(value) ? value : typeof value === "string" ? value.split(/[,，、]/) : [];
  const tags = new Set<string>();
  for (const item of items) {
    const tag = cleanTitle(item);
    if (tag !== null && tag.length <= LONGEST_TAG && tags.size < MOST_TAGS) tags.add(tag);
  }
  return [...tags];
}
