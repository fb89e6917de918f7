import { MAX_HEADING_LENGTH } from "./check-documents.ts";
import type { Block, BlockKind, SourceSpan } from "./documents.ts";
import {
  type CallSite,
  invalidInput,
  refusal,
  requireId,
  requireInteger,
  requireList,
  requireObject,
  requireOneOf,
  requireText,
} from "./validate.ts";

/** Most blocks, and most chunks, of one document. */
export const MAX_PARTS = 1_000_000;
/** Deepest heading path. */
export const MAX_HEADING_DEPTH = 64;
/** Highest line number. */
const MAX_LINE = 2 ** 31 - 1;

const KINDS: readonly BlockKind[] = [
  "heading",
  "paragraph",
  "list",
  "code",
  "table",
  "quote",
  "html",
  "frontmatter",
  "footnote",
];
const KEYS: readonly (keyof Block)[] = ["id", "documentId", "ordinal", "kind", "headingPath", "span"];

/** Checks all blocks of a document: each in its place, of this document, no id twice. */
export function checkBlocks(site: CallSite, value: unknown, documentId: string): readonly Block[] {
  const list = requireList(site, "blocks", value, 0, MAX_PARTS);
  const ids = new Set<string>();
  for (let i = 0; i < list.length; i++) {
    const inner: CallSite = { ...site, within: `blocks[${i}]` };
    const block = requireObject(inner, "", list[i], KEYS);
    checkPart(inner, block, i, documentId, ids);
    requireOneOf(inner, "kind", block["kind"], KINDS);
  }
  return list as readonly Block[];
}

/** Checks what blocks and chunks have in common. */
export function checkPart(
  site: CallSite,
  part: Record<string, unknown>,
  index: number,
  documentId: string,
  ids: Set<string>,
): void {
  const id = requireId(site, "id", part["id"]);
  if (ids.has(id)) throw refusal(site, `${site.within}.id got "${id}", which an earlier entry has`);
  ids.add(id);
  if (part["documentId"] !== documentId) {
    throw invalidInput(site, "documentId", part["documentId"], `the id of the document, "${documentId}"`);
  }
  if (part["ordinal"] !== index)
    throw invalidInput(site, "ordinal", part["ordinal"], `the position in the list, ${index}`);
  checkHeadingPath(site, part["headingPath"]);
  checkSpan(site, part["span"]);
}

/** Checks a heading path: texts of headings, outermost first. */
export function checkHeadingPath(site: CallSite, value: unknown): asserts value is string[] {
  const path = requireList(site, "headingPath", value, 0, MAX_HEADING_DEPTH);
  for (let i = 0; i < path.length; i++) {
    requireText(site, `headingPath[${i}]`, path[i], { min: 0, max: MAX_HEADING_LENGTH });
  }
}

/** Checks a span of source lines. */
export function checkSpan(site: CallSite, value: unknown): asserts value is SourceSpan {
  const span = requireObject(site, "span", value, ["kind", "start", "end"]);
  requireOneOf(site, "span.kind", span["kind"], ["line"]);
  const start = requireInteger(site, "span.start", span["start"], 1, MAX_LINE);
  requireInteger(site, "span.end", span["end"], start, MAX_LINE);
}
