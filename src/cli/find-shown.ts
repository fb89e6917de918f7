import type { Asset, Chunk, Document, DocumentStore } from "../node.ts";
import { type LineRange, parseLineRange } from "./line-range.ts";
import { suggest } from "./suggest.ts";

/** A document, or a passage of it, to be shown. */
export interface Shown {
  document: Document;
  /** Absent where its bytes are not recorded. */
  asset: Asset | undefined;
  /** The passage, when one was asked for. */
  chunk: Chunk | undefined;
  /** Lines that were asked for; all when absent. */
  lines: LineRange | undefined;
  /** The document's text, as it was taken in. */
  text: string;
}

/** What was looked for, or the path that is nearest to it. */
export type Found = { kind: "found"; shown: Shown } | { kind: "none"; near: string | undefined };

/** Finds what a person names: a path, a path with lines, the id of a document or of a chunk. */
export async function findShown(documents: DocumentStore, what: string): Promise<Found> {
  const path = what.replace(/^(?:\.\/)+/, "").normalize("NFC");
  const exact = (await byPath(documents, path)) ?? (await documents.getDocument(what));
  if (exact !== undefined) return { kind: "found", shown: await shownOf(documents, exact, undefined, undefined) };
  const chunk = await documents.getChunk(what);
  const owner = chunk === undefined ? undefined : await documents.getDocument(chunk.documentId);
  if (owner !== undefined) return { kind: "found", shown: await shownOf(documents, owner, chunk, chunk?.span) };
  const cited = /^(.+):([\d-]+)$/s.exec(path);
  const lines = parseLineRange(cited?.[2] ?? "");
  const document = lines === undefined ? undefined : await byPath(documents, cited?.[1] ?? "");
  if (document !== undefined) return { kind: "found", shown: await shownOf(documents, document, undefined, lines) };
  return {
    kind: "none",
    near: nearest(lines === undefined ? path : (cited?.[1] ?? path), await documents.allWorkspacePaths()),
  };
}

/** What is no workspace path is at no path: the store would call it wrong input. */
async function byPath(documents: DocumentStore, path: string): Promise<Document | undefined> {
  if (path.length > 1024 || /(?:^|\/)\.{0,2}(?:\/|$)/.test(path)) return undefined;
  return documents.getDocumentByWorkspacePath(path);
}

async function shownOf(
  documents: DocumentStore,
  document: Document,
  chunk: Chunk | undefined,
  lines: LineRange | undefined,
): Promise<Shown> {
  const asset = await documents.getAsset(document.assetId);
  const text = decode(await documents.getAssetBytes(document.assetId));
  return { document, asset, chunk, lines, text };
}

/** Decodes as ingest did: UTF-16 by its byte order mark, else UTF-8. */
function decode(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

/** Returns the path that ends with what was typed, else one like it. */
function nearest(typed: string, paths: readonly string[]): string | undefined {
  return paths.find((path) => path.endsWith(`/${typed}`)) ?? suggest(typed, paths);
}
