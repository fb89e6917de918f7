import { parse as parseYaml } from "yaml";

/** Values by the keys of front matter, JSON only. */
export type Values = Readonly<Record<string, unknown>>;

/** What was read of front matter, and why not all of it. */
export interface FrontMatterValues {
  values: Values;
  error: string | null;
}

/** Front matter above this is not read: it is data, not a description of a document. */
const LONGEST_FRONT_MATTER = 64 * 1024;

const YAML_KEY = /^["']?([A-Za-z_][\w-]*)["']?:(?=\s|$)/m;

/** Reads YAML; `null` when the source is no list of keys and values. */
export function readYaml(source: string): FrontMatterValues | null {
  try {
    const values = yamlValue(source);
    return isRecord(values) ? { values, error: null } : null;
  } catch (error) {
    if (!YAML_KEY.test(source)) return null;
    const message = error instanceof Error ? error.message : String(error);
    return { values: salvage(source.slice(0, LONGEST_FRONT_MATTER)), error: message.split("\n", 1)[0]! };
  }
}

/** Reads broken YAML key by key; a value that is broken is the text it is. */
function salvage(source: string): Values {
  const values = new Map<string, unknown>();
  for (const entry of source.split(/\n(?=["']?[A-Za-z_][\w-]*["']?:(?:\s|$))/)) {
    const match = YAML_KEY.exec(entry);
    if (match === null || values.has(match[1]!)) continue;
    const key = match[1]!;
    values.set(
      key,
      entry
        .slice(match.index + match[0].length)
        .trim()
        .replace(/^["'[]{1,8}|["'\]]{1,8}$/g, ""),
    );
    try {
      const read = yamlValue(entry);
      if (isRecord(read) && Object.hasOwn(read, key)) values.set(key, read[key]);
    } catch {
      // The text stays.
    }
  }
  return Object.fromEntries(values);
}

/** @throws RangeError, YAMLParseError */
function yamlValue(source: string): unknown {
  if (source.length > LONGEST_FRONT_MATTER) throw new RangeError(`longer than ${LONGEST_FRONT_MATTER} characters`);
  if (isAbsurdlyNested(source)) throw new RangeError(`nested deeper than ${DEEPEST_YAML} levels`);
  // Through JSON: no dates, no cycles, nothing that a database row or a worker message cannot hold.
  return plainYaml(source) ?? JSON.parse(JSON.stringify(parseYaml(source, { logLevel: "error" }) ?? {}));
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

const TOML_MARK = /^[ \t]*(?:[\w."'-]+[ \t]*=|\[|#)/m;

/** Takes the simple keys out of TOML front matter and keeps its source in `_toml`; `null` when the source is none. */
export function readToml(source: string): FrontMatterValues | null {
  if (!TOML_MARK.test(source) && source.trim() !== "") return null;
  const values = new Map<string, unknown>();
  for (const line of source.split("\n")) {
    if (line.startsWith("[")) break;
    const match = TOML_LINE.exec(line.trim());
    if (match === null) continue;
    const value = jsonValue(match[2]!.startsWith("'") ? JSON.stringify(match[2]!.slice(1, -1)) : match[2]!);
    if (value !== undefined) values.set(match[1]!, value);
  }
  return { values: Object.fromEntries([...values, ["_toml", source]]), error: null };
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
