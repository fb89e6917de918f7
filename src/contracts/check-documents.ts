import { LANG_PATTERN, MAX_TAG_LENGTH } from "./check-filter.ts";
import { requireJsonObject } from "./check-json.ts";
import { requireWorkspacePath } from "./check-paths.ts";
import {
  type CallSite,
  requireId,
  requireInteger,
  requireList,
  requireMatch,
  requireNumber,
  requireObject,
  requireText,
} from "./validate.ts";

/** Largest asset, in bytes: what every SQL engine of the store takes in one value. */
export const MAX_ASSET_BYTES: number = 512 * 1024 * 1024;
/** Longest title or heading, in UTF-16 units. */
export const MAX_HEADING_LENGTH = 65_536;
/** Most tags of a document. */
export const MAX_TAGS = 1000;
/** Largest metadata, in bytes as JSON. */
export const MAX_METADATA_BYTES: number = 64 * 1024;

/** A document that was looked at whole: tags sorted, metadata as JSON text. */
export interface CheckedDocument {
  id: string;
  assetId: string;
  workspacePath: string;
  parserVersion: string;
  title: string;
  lang: string | null;
  mediaType: string;
  sourceType: string;
  trust: number;
  tags: string[];
  metadata: string;
  ingestedAt: number | undefined;
}

const DOCUMENT_KEYS: readonly string[] = [
  "id",
  "assetId",
  "workspacePath",
  "parserVersion",
  "title",
  "lang",
  "mediaType",
  "sourceType",
  "trust",
  "tags",
  "metadata",
  "ingestedAt",
];

/** Checks a document as callers hand it in. */
export function checkNewDocument(site: CallSite, value: unknown): CheckedDocument {
  const document = requireObject(site, "document", value, DOCUMENT_KEYS);
  const inner: CallSite = { ...site, within: "document" };
  const { ingestedAt, lang } = document;
  return {
    id: requireId(inner, "id", document["id"]),
    assetId: requireId(inner, "assetId", document["assetId"]),
    workspacePath: requireWorkspacePath(inner, "workspacePath", document["workspacePath"]),
    parserVersion: requireText(inner, "parserVersion", document["parserVersion"], { max: 256 }),
    title: requireText(inner, "title", document["title"], { min: 0, max: MAX_HEADING_LENGTH }),
    lang:
      lang === null
        ? null
        : requireMatch(inner, "lang", lang, LANG_PATTERN, 'null or a language tag in lower case, like "zh-cn"'),
    mediaType: requireMediaType(inner, document["mediaType"]),
    sourceType: requireText(inner, "sourceType", document["sourceType"], { max: 256 }),
    trust: requireNumber(inner, "trust", document["trust"], 0, 1),
    tags: requireTags(inner, document["tags"]),
    metadata: requireJsonObject(inner, "metadata", document["metadata"], MAX_METADATA_BYTES),
    ingestedAt: ingestedAt === undefined ? undefined : requireInteger(inner, "ingestedAt", ingestedAt, 0, 8.64e15),
  };
}

/** Returns the value as tags, sorted by code unit and without repeats. */
export function requireTags(site: CallSite, value: unknown): string[] {
  const list = requireList(site, "tags", value, 0, MAX_TAGS);
  return [
    ...new Set(list.map((tag, index) => requireText(site, `tags[${index}]`, tag, { max: MAX_TAG_LENGTH }))),
  ].sort();
}

const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;

/** Returns the value as a media type in lower case without parameters. */
export function requireMediaType(site: CallSite, value: unknown): string {
  return requireMatch(
    site,
    "mediaType",
    value,
    MEDIA_TYPE,
    'a media type in lower case without parameters, like "text/markdown"',
  );
}

const CONTENT_HASH = /^[0-9a-f]{64}$/;

/** Checks an asset whose bytes are kept elsewhere. */
export function checkAsset(
  site: CallSite,
  value: unknown,
): { contentHash: string; byteLength: number; mediaType: string } {
  const asset = requireObject(site, "asset", value, ["contentHash", "byteLength", "mediaType"]);
  const inner: CallSite = { ...site, within: "asset" };
  return {
    contentHash: requireContentHash(inner, asset["contentHash"]),
    byteLength: requireInteger(inner, "byteLength", asset["byteLength"], 0, Number.MAX_SAFE_INTEGER),
    mediaType: requireMediaType(inner, asset["mediaType"]),
  };
}

/** Returns the value as the blake3 of an asset's bytes. */
export function requireContentHash(site: CallSite, value: unknown): string {
  return requireMatch(site, "contentHash", value, CONTENT_HASH, "a blake3 hash of 64 lower-case hex digits");
}
