import type { DocumentFilter } from "./documents.ts";
import { requireMillis } from "./check-time.ts";
import {
  type CallSite,
  invalidInput,
  named,
  requireList,
  requireMatch,
  requireNumber,
  requireObject,
  requireText,
} from "./validate.ts";

/** Longest list in a filter. */
export const MAX_FILTER_LIST = 1000;
/** Longest glob, in UTF-16 units. */
export const MAX_GLOB_LENGTH = 1024;
/** Longest tag, in UTF-16 units. */
export const MAX_TAG_LENGTH = 256;

/** A filter whose lists are sorted, without repeats and never empty: equal filters read the same. */
export interface CheckedFilter {
  tagsAny?: string[];
  lang?: string[];
  pathGlob?: string[];
  trustMin?: number;
  media?: string[];
  /** Milliseconds since 1970. */
  ingestedAfter?: number;
  docId?: string[];
  sourceType?: string[];
}

const KEYS: readonly (keyof DocumentFilter)[] = [
  "tagsAny",
  "lang",
  "pathGlob",
  "trustMin",
  "media",
  "ingestedAfter",
  "docId",
  "sourceType",
];

/** BCP 47: letters and digits in subtags of at most eight. */
export const LANG_PATTERN: RegExp = /^[a-z]{1,8}(?:-[a-z0-9]{1,8}){0,9}$/;
const MEDIA_PATTERN = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/(?:\*|[a-z0-9][a-z0-9!#$&^_.+-]{0,126})$/;

/** Checks a document filter whole and returns its canonical form.
 *  A field that is `undefined` is absent; an unknown field, `null` and an empty list are refused, for an option is never ignored.
 *  @param field What the caller calls it.
 *  @throws StorageError INVALID_INPUT */
export function checkDocumentFilter(site: CallSite, filter: unknown, field: string = "filter"): CheckedFilter {
  if (filter === undefined) return {};
  const given = requireObject(site, field, filter, KEYS);
  const inner: CallSite = { ...site, within: named(site, field) };
  const checked: CheckedFilter = {};
  const { tagsAny, lang, pathGlob, trustMin, media, ingestedAfter, docId, sourceType } = given;
  if (tagsAny !== undefined) {
    if (!Array.isArray(tagsAny))
      throw invalidInput(inner, "tagsAny", tagsAny, `a list of 1 to ${MAX_FILTER_LIST} tags`);
    checked.tagsAny = texts(inner, "tagsAny", tagsAny, text(MAX_TAG_LENGTH));
  }
  if (lang !== undefined) checked.lang = texts(inner, "lang", lang, language);
  if (pathGlob !== undefined) checked.pathGlob = texts(inner, "pathGlob", pathGlob, glob);
  if (trustMin !== undefined) checked.trustMin = requireNumber(inner, "trustMin", trustMin, 0, 1);
  if (media !== undefined) checked.media = texts(inner, "media", media, mediaRange);
  if (ingestedAfter !== undefined) checked.ingestedAfter = requireMillis(inner, "ingestedAfter", ingestedAfter);
  if (docId !== undefined) checked.docId = texts(inner, "docId", docId, text(256));
  if (sourceType !== undefined) checked.sourceType = texts(inner, "sourceType", sourceType, text(256));
  return checked;
}

type Check = (site: CallSite, field: string, value: unknown) => string;

function texts(site: CallSite, field: string, value: unknown, check: Check): string[] {
  if (typeof value === "string") return [check(site, field, value)];
  if (!Array.isArray(value)) throw invalidInput(site, field, value, "a text or a list of texts");
  const list = requireList(site, field, value, 1, MAX_FILTER_LIST);
  return [...new Set(list.map((entry, index) => check(site, `${field}[${index}]`, entry)))].sort();
}

function text(max: number): Check {
  return (site, field, value) => requireText(site, field, value, { max });
}

function language(site: CallSite, field: string, value: unknown): string {
  const lower = typeof value === "string" ? value.toLowerCase() : value;
  return requireMatch(site, field, lower, LANG_PATTERN, 'a language tag like "zh" or "zh-cn"');
}

function mediaRange(site: CallSite, field: string, value: unknown): string {
  const lower = typeof value === "string" ? value.toLowerCase() : value;
  return requireMatch(site, field, lower, MEDIA_PATTERN, 'a media type like "text/markdown" or "text/*"');
}

function glob(site: CallSite, field: string, value: unknown): string {
  return requireText(site, field, value, { max: MAX_GLOB_LENGTH }).normalize("NFC");
}
