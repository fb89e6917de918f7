import type {
  Asset,
  AssetReadOptions,
  AssetSource,
  AssetStreamOptions,
  AssetSweepOptions,
  AssetSweepReport,
  PutAsset,
} from "./assets.ts";

export type { Asset } from "./assets.ts";

/** A span of source lines, 1-based, both ends included. */
export interface SourceSpan {
  kind: "line";
  start: number;
  end: number;
}

/** One document: an asset at a workspace path, as one parser version read it. */
export interface Document {
  /** Id over asset, parser version and path (contract: kind `doc`). */
  id: string;
  assetId: string;
  /** Unique among documents: relative, `/`-separated, no empty, `.` or `..` part, Unicode NFC, at most 1024 characters. */
  workspacePath: string;
  parserVersion: string;
  title: string;
  /** BCP 47 language tag in lower case, or `null` when unknown. */
  lang: string | null;
  mediaType: string;
  /** What the source calls its kind: `file` by default. */
  sourceType: string;
  /** 0 (do not trust) to 1 (trust); 0.5 by default. */
  trust: number;
  /** Sorted by code unit, without repeats; at most 1000 of 1 to 256 characters. */
  tags: string[];
  /** Front matter and what the caller added; JSON values only, at most 64 KiB as JSON. */
  metadata: Record<string, unknown>;
  /** Milliseconds since 1970 at which this version was taken in. */
  ingestedAt: number;
}

/** A document as callers hand it in. Without `ingestedAt` it gets the time of the call, or keeps the time it has when
 *  nothing else changed. */
export type NewDocument = Omit<Document, "ingestedAt"> & { ingestedAt?: number };

export type BlockKind =
  | "heading"
  | "paragraph"
  | "list"
  | "code"
  | "table"
  | "quote"
  | "html"
  | "frontmatter"
  | "footnote";

/** One structural element of a document. Its text stands in the asset at its span. */
export interface Block {
  /** Id over document, kind, heading path, ordinal and span (contract: kind `block`). */
  id: string;
  documentId: string;
  /** Position in the document, from 0. */
  ordinal: number;
  kind: BlockKind;
  /** Texts of the headings above, outermost first; a heading's own text is the last of its path. */
  headingPath: string[];
  span: SourceSpan;
}

/** A piece of a document that is searched and cited as one. */
export interface Chunk {
  /** Id over document, block ids, chunker version and policy (contract: kind `chunk`). */
  id: string;
  documentId: string;
  /** Position in the document, from 0. */
  ordinal: number;
  /** Ids of the blocks it holds; part `n` of a block that was split is `<block id>/<n>`. */
  blockIds: string[];
  headingPath: string[];
  /** Readable text, markup removed. */
  text: string;
  span: SourceSpan;
  tokenCount: number;
  chunkerVersion: string;
  policyHash: string;
}

/** Which documents to list, count or search. All given conditions must hold; a field left out or `undefined` is none.
 *  Lists hold 1 to 1000 entries: an empty list is refused, as is an unknown field, for an option is never ignored. */
export interface DocumentFilter {
  /** At least one of these tags. */
  tagsAny?: readonly string[];
  /** Any of these languages; `zh` also takes `zh-cn`. */
  lang?: string | readonly string[];
  /** Any of these globs over the whole workspace path, each at most 1024 characters: `*` and `?` stay within a part of
   *  the path, `**` as a part of its own takes any number of parts, `[a-z]` and `[!a-z]` one character, `{a,b}` either;
   *  `\` makes the next character literal, and so is a bracket or brace that is not closed. Upper and lower case differ,
   *  and a leading dot is a character like any other. */
  pathGlob?: string | readonly string[];
  /** Smallest trust, 0 to 1, itself included. */
  trustMin?: number;
  /** Any of these media types; `text/*` takes all text. */
  media?: string | readonly string[];
  /** Taken in strictly after this time: milliseconds since 1970 or an ISO 8601 text, UTC where it names no offset. */
  ingestedAfter?: number | string;
  docId?: string | readonly string[];
  sourceType?: string | readonly string[];
}

/** Which page of a listing. */
export interface PageRequest {
  /** 1 to 1000; 50 by default. */
  limit?: number;
  /** `nextCursor` of the page before; the filter must be the same. */
  cursor?: string;
}

export interface Page<T> {
  items: T[];
  /** Absent on the last page. */
  nextCursor?: string;
}

/** Options of making the text index anew. */
export interface TextIndexOptions {
  /** Ends it after the chunks at hand; the promise rejects with ABORTED. */
  signal?: AbortSignal;
  /** Called with the chunks that are indexed, now and then. What it throws ends it, too. */
  onProgress?: (progress: { done: number; total: number }) => void;
}

/** Documents, their blocks and chunks, and the text index over them. Every method is atomic, and all but
 *  `bumpCorpusRevision` are idempotent: putting what is there already writes no change and leaves the corpus revision.
 *  @throws StorageError INVALID_INPUT from every method, naming the field; CLOSED, DRIVER, QUOTA_EXCEEDED, CORRUPT */
export interface DocumentStore {
  /** Records an asset whose bytes are kept elsewhere. Putting it again changes nothing.
   *  @param asset `contentHash` is the full blake3 of the bytes.
   *  @throws StorageError CONFLICT when it is recorded with another length */
  putAsset(asset: { contentHash: string; byteLength: number; mediaType: string }): Promise<Asset>;
  /** Records an asset and keeps its bytes, addressed by content. Up to 1 MiB they are in the database and commit with its row; larger
   *  ones are written aside in the blob store beside it, moved to the name of their hash, and then their row commits. A stream is asked
   *  for its next piece when the one before it is written, so that no more of it is in memory; a store without a blob store beside its
   *  database takes at most 512 MiB, which are.
   *  @returns the asset, and whether the store had these bytes already.
   *  @throws StorageError CONFLICT (recorded with another length), ABORTED, DRIVER (with what the stream threw as its cause)
   *  @example
   *    const { id, deduplicated } = await documents.putAssetWithBytes({ bytes: file, mediaType: "video/mp4" }); */
  putAssetWithBytes(
    asset: { bytes: AssetSource; mediaType: string },
    options?: { signal?: AbortSignal },
  ): Promise<PutAsset>;
  /** Inserts or updates a document. Another document at its path is replaced, as if deleted first. Blocks and chunks of
   *  the document itself stay; a new title is indexed with them.
   *  @throws StorageError NOT_FOUND (asset) */
  putDocument(document: NewDocument): Promise<Document>;
  /** Replaces the document's blocks.
   *  @param blocks In order: `ordinal` is the place in the list.
   *  @throws StorageError NOT_FOUND (document) */
  putBlocks(documentId: string, blocks: readonly Block[]): Promise<void>;
  /** Replaces the document's chunks and their text index, and leaves tombstones for the embeddings of chunks that go.
   *  Chunks that are the same as before stay, with their embeddings.
   *  @param chunks In order: `ordinal` is the place in the list.
   *  @throws StorageError NOT_FOUND (document), CONFLICT (a chunk id that another document has) */
  putChunks(documentId: string, chunks: readonly Chunk[]): Promise<void>;
  /** Puts asset bytes, document, blocks and chunks in one transaction: the whole document or nothing.
   *  @param document Its `document.assetId` must be the id of its bytes. */
  putWhole(document: WholeDocument): Promise<Document>;
  /** Returns the document, or `undefined` where there is none: so do all reads by id or path. */
  getDocument(id: string): Promise<Document | undefined>;
  getDocumentByWorkspacePath(workspacePath: string): Promise<Document | undefined>;
  getBlocks(documentId: string): Promise<Block[]>;
  getChunk(id: string): Promise<Chunk | undefined>;
  /** Returns the chunks found, in the order of `ids`; unknown ids are left out. At most 1000 ids; an id that is given twice is returned twice. */
  getChunks(ids: readonly string[]): Promise<Chunk[]>;
  /** Returns the document's chunks in order. */
  getChunksOf(documentId: string): Promise<Chunk[]>;
  getAsset(id: string): Promise<Asset | undefined>;
  getAssetByWorkspacePath(workspacePath: string): Promise<Asset | undefined>;
  /** Returns the bytes of an asset.
   *  @param options `verify` compares them with the asset's hash.
   *  @throws StorageError NOT_FOUND (asset, or its bytes are kept elsewhere), CORRUPT (they are gone, or others), UNSUPPORTED (more than
   *  512 MiB, which are read as a stream) */
  getAssetBytes(id: string, options?: AssetReadOptions): Promise<Uint8Array>;
  /** Hands out the bytes of an asset, or a range of them, in pieces of at most 1 MiB, each read when it is asked for. An asset that is
   *  deleted meanwhile is handed out as it was, or the stream throws.
   *  @throws StorageError as `getAssetBytes`, and ABORTED: all of them when the first piece is asked for, or, where bytes turn out to be
   *  damaged, later */
  getAssetStream(id: string, options?: AssetStreamOptions): AsyncIterableIterator<Uint8Array>;
  /** Deletes stored bytes that no asset has: what a crash left between the bytes and their row. Never those of a running put, ingest or
   *  import, and none while an export is read.
   *  @throws StorageError ABORTED, UNSUPPORTED (opened for reading only) */
  sweepBlobs(options?: AssetSweepOptions): Promise<AssetSweepReport>;
  /** Lists documents by path, in the order of its Unicode code points (the byte order of UTF-8): `Z` before `a`, and
   *  characters beyond U+FFFF last, where the code-unit order of JavaScript would put them before U+E000.
   *  A page holds what is there when it is read; what changes between two pages moves no other document from one to the next. */
  listDocuments(filter?: DocumentFilter, page?: PageRequest): Promise<Page<Document>>;
  countDocuments(filter?: DocumentFilter): Promise<number>;
  /** Returns every workspace path, in the order of `listDocuments`. */
  allWorkspacePaths(): Promise<string[]>;
  /** Deletes a document with its blocks, chunks and text index; leaves tombstones for its embeddings; drops its asset when no other document has it.
   *  @returns whether there was one. */
  deleteDocument(id: string): Promise<boolean>;
  /** Returns the ids of the chunks of the document at the path, in order: those that go when its bytes change. */
  staleChunkIdsAt(workspacePath: string): Promise<string[]>;
  /** Deletes the document at the path, if there is one.
   *  @returns the ids of the chunks that went, for the vector side. */
  purgeOrphanAtWorkspacePath(workspacePath: string): Promise<string[]>;
  /** Rebuilds the text index from the chunks, in one transaction: other writes wait for it, and what ends it leaves the index as it was.
   *  @throws StorageError INVALID_INPUT, ABORTED, QUOTA_EXCEEDED, CLOSED */
  rebuildChunksFts(options?: TextIndexOptions): Promise<void>;
  /** Counter that every change of searchable content raises by one in its own transaction. Blocks are not searched, so
   *  `putBlocks` leaves it. */
  corpusRevision(): Promise<number>;
  /** Raises the counter by one.
   *  @returns its new value. */
  bumpCorpusRevision(): Promise<number>;
}

/** Everything of one document, to be put at once. */
export interface WholeDocument {
  bytes: Uint8Array;
  document: NewDocument;
  blocks: readonly Block[];
  chunks: readonly Chunk[];
}
