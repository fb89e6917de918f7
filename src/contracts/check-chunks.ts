import { checkPart, MAX_PARTS } from "./check-blocks.ts";
import type { Chunk } from "./documents.ts";
import { type CallSite, requireInteger, requireList, requireMatch, requireObject, requireText } from "./validate.ts";

/** Longest text of a chunk, in UTF-16 units. */
export const MAX_CHUNK_LENGTH = 4_194_304;
/** Most blocks of which one chunk holds parts. */
export const MAX_CHUNK_BLOCKS = 100_000;

const KEYS: readonly (keyof Chunk)[] = [
  "id",
  "documentId",
  "ordinal",
  "blockIds",
  "headingPath",
  "text",
  "span",
  "tokenCount",
  "chunkerVersion",
  "policyHash",
];
const BLOCK_ID = /^[0-9a-f]{32}(?:\/(?:0|[1-9][0-9]{0,8}))?$/;

/** Checks all chunks of a document: each in its place, of this document, no id twice. */
export function checkChunks(site: CallSite, value: unknown, documentId: string): readonly Chunk[] {
  const list = requireList(site, "chunks", value, 0, MAX_PARTS);
  const ids = new Set<string>();
  for (let i = 0; i < list.length; i++) {
    const inner: CallSite = { ...site, within: `chunks[${i}]` };
    const chunk = requireObject(inner, "", list[i], KEYS);
    checkPart(inner, chunk, i, documentId, ids);
    const blockIds = requireList(inner, "blockIds", chunk["blockIds"], 0, MAX_CHUNK_BLOCKS);
    for (let part = 0; part < blockIds.length; part++) {
      requireMatch(
        inner,
        `blockIds[${part}]`,
        blockIds[part],
        BLOCK_ID,
        'a block id, or a block id, "/" and the number of its part',
      );
    }
    requireText(inner, "text", chunk["text"], { min: 0, max: MAX_CHUNK_LENGTH });
    requireInteger(inner, "tokenCount", chunk["tokenCount"], 0, Number.MAX_SAFE_INTEGER);
    requireText(inner, "chunkerVersion", chunk["chunkerVersion"], { max: 256 });
    requireText(inner, "policyHash", chunk["policyHash"], { max: 256 });
  }
  return list as readonly Chunk[];
}
