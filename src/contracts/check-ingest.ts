import { LANG_PATTERN, MAX_TAG_LENGTH } from "./check-filter.ts";
import { requireJsonObject } from "./check-json.ts";
import { requirePathPrefix, requireWorkspacePath } from "./check-paths.ts";
import type { IngestEmbedding, IngestFile, IngestOptions, IngestSource } from "./store.ts";
import {
  type CallSite,
  invalidInput,
  isPlainObject,
  requireInteger,
  requireList,
  requireMatch,
  requireNumber,
  requireObject,
  requireOneOf,
  requireText,
} from "./validate.ts";

/** A chunking policy with its defaults filled in. */
export interface CheckedChunkingPolicy {
  targetTokens: number;
  overlapTokens: number;
  maxTokens: number;
}

/** Options of a run with their defaults filled in. */
export interface CheckedIngestOptions extends Pick<
  IngestOptions,
  "signal" | "onProgress" | "total" | "totalBytes" | "sweep"
> {
  chunking: CheckedChunkingPolicy;
  maxFileBytes: number;
  embed: IngestEmbedding;
  /** A copy of what was given. */
  origin: Record<string, unknown> | undefined;
}

/** A file whose attributes are checked; its content is not. */
export interface CheckedIngestFile extends Omit<IngestFile, "tags"> {
  tags?: string[];
}

const OPTION_KEYS = [
  "signal",
  "onProgress",
  "total",
  "totalBytes",
  "sweep",
  "chunking",
  "maxFileBytes",
  "embed",
  "origin",
];
/** Longest origin as JSON, in bytes. */
const MAX_ORIGIN_BYTES = 64 * 1024;
/** Largest file that is taken in unless another limit is asked for, in bytes. */
export const DEFAULT_MAX_FILE_BYTES: number = 16 * 2 ** 20;
const EMBED: readonly IngestEmbedding[] = ["background", "wait", "off"];
const FILE_KEYS = [
  "path",
  "content",
  "sizeBytes",
  "mediaType",
  "title",
  "lang",
  "tags",
  "trust",
  "sourceType",
  "metadata",
];
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;

/** Returns the value as what an ingest reads: a file, or any number of them.
 *  @throws StorageError INVALID_INPUT */
export function requireIngestSource(source: unknown): IngestSource {
  if (typeof source === "object" && source !== null) return source as IngestSource;
  const site: CallSite = { capability: "ingest", operation: "ingest" };
  throw invalidInput(site, "source", source, "a file, an iterable of files or an async iterable of files");
}

/** Checks the options of a run.
 *  @throws StorageError INVALID_INPUT */
export function checkIngestOptions(options: unknown): CheckedIngestOptions {
  const site: CallSite = { capability: "ingest", operation: "ingest" };
  const given = requireObject(site, "options", options, OPTION_KEYS);
  const { signal, onProgress, total, totalBytes, sweep, origin } = given;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidInput(site, "signal", signal, "an AbortSignal");
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw invalidInput(site, "onProgress", onProgress, "a function");
  }
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress: onProgress as NonNullable<IngestOptions["onProgress"]> }),
    ...(total === undefined ? {} : { total: requireInteger(site, "total", total, 0, Number.MAX_SAFE_INTEGER) }),
    ...(totalBytes === undefined
      ? {}
      : { totalBytes: requireInteger(site, "totalBytes", totalBytes, 0, Number.MAX_SAFE_INTEGER) }),
    ...(sweep === undefined ? {} : { sweep: checkSweep(site, sweep) }),
    chunking: checkChunkingPolicy(site, given["chunking"] ?? {}),
    maxFileBytes: requireInteger(site, "maxFileBytes", given["maxFileBytes"] ?? DEFAULT_MAX_FILE_BYTES, 1, 2 ** 29),
    embed: requireOneOf(site, "embed", given["embed"] ?? "background", EMBED),
    origin: origin === undefined ? undefined : copyOf(requireJsonObject(site, "origin", origin, MAX_ORIGIN_BYTES)),
  };
}

function copyOf(json: string): Record<string, unknown> {
  return JSON.parse(json) as Record<string, unknown>;
}

function checkSweep(site: CallSite, sweep: unknown): { prefix: string } {
  const given = requireObject(site, "sweep", sweep, ["prefix"]);
  return { prefix: requirePathPrefix({ ...site, within: "sweep" }, "prefix", given["prefix"]) };
}

/** Checks a chunking policy and fills in its defaults.
 *  @throws StorageError INVALID_INPUT */
export function checkChunkingPolicy(site: CallSite, policy: unknown): CheckedChunkingPolicy {
  const given = requireObject(site, "chunking", policy, ["targetTokens", "overlapTokens", "maxTokens"]);
  const inner: CallSite = { ...site, within: "chunking" };
  const targetTokens = requireInteger(inner, "targetTokens", given["targetTokens"] ?? 256, 32, 4096);
  const half = Math.floor(targetTokens / 2);
  return {
    targetTokens,
    overlapTokens: requireInteger(inner, "overlapTokens", given["overlapTokens"] ?? Math.min(32, half), 0, half),
    maxTokens: requireInteger(
      inner,
      "maxTokens",
      given["maxTokens"] ?? Math.max(1024, targetTokens),
      targetTokens,
      65_536,
    ),
  };
}

/** Checks what a caller says of a file. The path is brought to Unicode NFC, for file systems differ in theirs.
 *  @throws StorageError INVALID_INPUT */
export function checkIngestFile(file: unknown): CheckedIngestFile {
  const site: CallSite = { capability: "ingest", operation: "ingest" };
  const given = requireObject(site, "file", file, FILE_KEYS);
  const inner: CallSite = { ...site, within: "file" };
  const { path, sizeBytes, mediaType, title, lang, tags, trust, sourceType, metadata } = given;
  if (metadata !== undefined && !isPlainObject(metadata)) {
    throw invalidInput(inner, "metadata", metadata, "an object of JSON values");
  }
  return {
    path: requireWorkspacePath(inner, "path", typeof path === "string" ? path.normalize("NFC") : path),
    content: given["content"] as IngestFile["content"],
    ...(sizeBytes === undefined
      ? {}
      : { sizeBytes: requireNumber(inner, "sizeBytes", sizeBytes, 0, Number.MAX_SAFE_INTEGER) }),
    ...(mediaType === undefined ? {} : { mediaType: checkMediaType(inner, mediaType) }),
    ...(title === undefined ? {} : { title: requireText(inner, "title", title, { max: 1024 }) }),
    ...(lang === undefined ? {} : { lang: checkLanguage(inner, lang) }),
    ...(tags === undefined ? {} : { tags: checkTags(inner, tags) }),
    ...(trust === undefined ? {} : { trust: requireNumber(inner, "trust", trust, 0, 1) }),
    ...(sourceType === undefined ? {} : { sourceType: requireText(inner, "sourceType", sourceType, { max: 256 }) }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

function checkMediaType(site: CallSite, value: unknown): string {
  const lower = typeof value === "string" ? value.split(";")[0]?.trim().toLowerCase() : value;
  return requireMatch(site, "mediaType", lower, MEDIA_TYPE, 'a media type like "text/markdown"');
}

function checkLanguage(site: CallSite, value: unknown): string {
  const lower = typeof value === "string" ? value.toLowerCase() : value;
  return requireMatch(site, "lang", lower, LANG_PATTERN, 'a language tag like "zh" or "zh-cn"');
}

function checkTags(site: CallSite, value: unknown): string[] {
  const list = requireList(site, "tags", value, 0, 1000);
  return [
    ...new Set(list.map((tag, index) => requireText(site, `tags[${index}]`, tag, { max: MAX_TAG_LENGTH }))),
  ].sort();
}
