import type { WholeDocument } from "../../contracts/documents.ts";
import { assetContentHash, assetId, blockId, chunkId, documentId, hash32 } from "../ids.ts";
import { detectLanguage } from "../ingest/language.ts";
import { cleanTitle } from "../ingest/parse/document-title.ts";
import { estimateTokens } from "../ingest/token-estimate.ts";
import type { ImportText } from "./import-texts.ts";

/** What imported documents have as `sourceType`: an import replaces only those. */
export const IMPORT_SOURCE = "import";
/** Change it whenever the same text would give other blocks or chunks. */
const VERSION = "import-1";
/** One chunk whatever its length: its vector stands for the whole text. */
const POLICY = "whole";
const LONGEST_NAME = 200;
/** Labels that are file names as they are. */
const PLAIN = /^[\p{L}\p{N}_-][\p{L}\p{N} ._-]*$/u;

/** Returns the workspace path for a label: another one for every label.
 *  @param prefix Path without an ending slash. */
export function importedPath(prefix: string, label: string): string {
  return `${prefix}/${nameOf(label)}.txt`;
}

/** Returns a document with one chunk that holds the whole text.
 *  @returns the document, and the id of its chunk. */
export function importedDocument(
  path: string,
  label: string,
  imported: ImportText,
): { whole: WholeDocument; chunkId: string } {
  const { text, metadata } = imported;
  const bytes = new TextEncoder().encode(text);
  const asset = assetId(assetContentHash(bytes));
  const id = documentId({ assetId: asset, parserVersion: VERSION, workspacePath: path });
  const span = { kind: "line", start: 1, end: text.split(/\r\n?|\n/).length } as const;
  const block = { kind: "paragraph", headingPath: [], ordinal: 0, span } as const;
  const blockIdentity = blockId({ documentId: id, ...block });
  const chunk = chunkId({ documentId: id, blockIds: [blockIdentity], chunkerVersion: VERSION, policyHash: POLICY });
  return {
    chunkId: chunk,
    whole: {
      bytes,
      document: {
        id,
        assetId: asset,
        workspacePath: path,
        parserVersion: VERSION,
        title: cleanTitle(metadata["title"]) ?? cleanTitle(metadata["source"]) ?? cleanTitle(firstLine(text)) ?? label,
        lang: detectLanguage({ path, text }),
        mediaType: "text/plain",
        sourceType: IMPORT_SOURCE,
        trust: 0.5,
        tags: [],
        metadata: { ...metadata, label },
      },
      blocks: [{ id: blockIdentity, documentId: id, ...block, headingPath: [] }],
      chunks: [
        {
          id: chunk,
          documentId: id,
          ordinal: 0,
          blockIds: [blockIdentity],
          headingPath: [],
          text,
          span,
          tokenCount: estimateTokens(text),
          chunkerVersion: VERSION,
          policyHash: POLICY,
        },
      ],
    },
  };
}

/** What is encoded has a per cent sign before what PLAIN does not take, so that it is no other label's name. */
function nameOf(label: string): string {
  const plain = PLAIN.test(label) && label === label.normalize("NFC");
  const name = plain ? label : encodeURIComponent(label);
  return name.length > 0 && name.length <= LONGEST_NAME ? name : `%~${hash32(label)}`;
}

function firstLine(text: string): string | undefined {
  return /\S[^\r\n]{0,120}/.exec(text)?.[0];
}
