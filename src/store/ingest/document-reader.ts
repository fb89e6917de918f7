import type { Block, Chunk, NewDocument } from "../../contracts/documents.ts";
import type { CheckedIngestFile, CheckedIngestOptions } from "../../contracts/check-ingest.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import type { IngestReport } from "../../contracts/store.ts";
import type { HashedDocument, SqlDocumentStore } from "../documents/sql-document-store.ts";
import { assetContentHash, assetId, blockId, documentId } from "../ids.ts";
import { chunkBlocks, CHUNKER_VERSION, policyHash } from "./chunker.ts";
import { decodeText } from "./decode.ts";
import { detectLanguage } from "./language.ts";
import { mediaTypeOf } from "./media-type.ts";
import { parseDocument, parserVersionOf } from "./parse/parse-document.ts";
import type { ParsedDocument } from "./parse/parsed-document.ts";
import { readContent } from "./read-content.ts";

/** A file that is read, parsed and cut, ready to be written. */
export interface ReadDocument {
  whole: HashedDocument;
  /** Whether its path held a document before. */
  replaces: boolean;
}

interface Known {
  content_hash: string;
  byte_length: number;
  parser_version: string;
  title: string;
  lang: string | null;
  media_type: string;
  source_type: string;
  trust: number;
  metadata: string;
  tags: string | null;
  chunker_version: string | null;
  policy_hash: string | null;
  external: 0 | 1;
  damaged: 0 | 1;
}

const KNOWN = `
  SELECT a.content_hash, a.byte_length, d.parser_version, d.title, d.lang, d.media_type, d.source_type, d.trust, d.metadata,
         (SELECT json_group_array(tag) FROM document_tags t WHERE t.document_key = d.document_key) AS tags,
         c.chunker_version, c.policy_hash,
         a.blob_store IS NOT NULL AS external,
         a.blob_key IS NOT NULL AND a.blob_store IS NULL AND NOT EXISTS (SELECT 1 FROM blobs b WHERE b.blob_key = a.blob_key)
           OR (SELECT count(*) <> max(k.ordinal) + 1 FROM chunks k WHERE k.document_key = d.document_key) IS TRUE
           OR (SELECT count(*) <> max(k.ordinal) + 1 FROM blocks k WHERE k.document_key = d.document_key) IS TRUE AS damaged
  FROM documents d JOIN assets a ON a.asset_id = d.asset_id
  LEFT JOIN chunks c ON c.document_key = d.document_key AND c.ordinal = 0
  WHERE d.workspace_path = $1`;

type Labels = Pick<CheckedIngestFile, "tags" | "metadata">;

/** Turns files into documents. Writes nothing. */
export class DocumentReader {
  readonly #db: SqlExecutor;
  readonly #pack: SqlDocumentStore["pack"];
  readonly #options: CheckedIngestOptions;
  readonly #timings: IngestReport["timings"];
  readonly #policyHash: string;
  readonly #hasExternal: SqlDocumentStore["hasExternal"];

  /** @param pack Makes of bytes what is kept of them.
   *  @param hasExternal Whether all bytes are there that are said to be beside the database.
   *  @param timings Where the time of each step is added up. */
  constructor(
    db: SqlExecutor,
    { pack, hasExternal }: Pick<SqlDocumentStore, "pack" | "hasExternal">,
    options: CheckedIngestOptions,
    timings: IngestReport["timings"],
  ) {
    this.#db = db;
    this.#pack = pack;
    this.#hasExternal = hasExternal;
    this.#options = options;
    this.#timings = timings;
    this.#policyHash = policyHash(options.chunking);
  }

  /** Reads one file.
   *  @returns undefined when the store holds it already: same bytes, versions, policy and attributes.
   *  @throws StorageError INVALID_INPUT, DRIVER: what is wrong with the file */
  async read(file: CheckedIngestFile): Promise<ReadDocument | undefined> {
    const start = performance.now();
    const bytes = await readContent(file, this.#options.maxFileBytes, this.#options.signal);
    const contentHash = assetContentHash(bytes);
    const mediaType = file.mediaType ?? mediaTypeOf(file.path);
    const known = await this.#db.get<Known>(KNOWN, [file.path]);
    if (known?.external === 1 && !(await this.#hasExternal(known.content_hash, known.byte_length))) known.damaged = 1;
    this.#timings.readMs += performance.now() - start;
    const current = known !== undefined && this.#isCurrent(known, contentHash, mediaType, file) ? known : undefined;
    if (current !== undefined && hasLabels(current, file)) return undefined;

    const parseStart = performance.now();
    // Packed while it is parsed, where the platform has a thread for that.
    const [packed, { text, parsed }] = await Promise.all([
      this.#pack(bytes, mediaType),
      parse(bytes, file.path, mediaType),
    ]);
    const lang = detectLanguage({ explicit: file.lang, hint: parsed.lang, path: file.path, text });
    this.#timings.parseMs += performance.now() - parseStart;

    const document = newDocument(file, parsed, assetId(contentHash), mediaType, lang);
    if (current !== undefined && hasLabels(current, labelsOf(document, file))) return undefined;
    const idsStart = performance.now();
    const { blocks, chunks } = this.#cut(document.id, parsed);
    this.#timings.idsMs += performance.now() - idsStart;
    return { whole: { bytes, contentHash, packed, document, blocks, chunks }, replaces: known !== undefined };
  }

  /** Whether taking the file in again would change nothing but its tags and metadata. What lost its bytes or a part is mended by it. */
  #isCurrent(known: Known, contentHash: string, mediaType: string, file: CheckedIngestFile): boolean {
    return (
      known.damaged === 0 &&
      known.content_hash === contentHash &&
      known.media_type === mediaType &&
      known.parser_version === parserVersionOf(mediaType, file.path) &&
      (known.chunker_version === null ||
        (known.chunker_version === CHUNKER_VERSION && known.policy_hash === this.#policyHash)) &&
      (file.title === undefined || file.title === known.title) &&
      (file.lang === undefined || file.lang.toLowerCase() === known.lang) &&
      (file.trust === undefined || file.trust === known.trust) &&
      (file.sourceType === undefined || file.sourceType === known.source_type)
    );
  }

  #cut(document: string, parsed: ParsedDocument): { blocks: Block[]; chunks: Chunk[] } {
    const withIds = parsed.blocks.map((block, ordinal) => ({
      ...block,
      ordinal,
      id: blockId({
        documentId: document,
        kind: block.kind,
        headingPath: block.headingPath,
        ordinal,
        span: block.span,
      }),
    }));
    const chunks = chunkBlocks(document, withIds, this.#options.chunking);
    const blocks = withIds.map((block): Block => ({
      id: block.id,
      documentId: document,
      ordinal: block.ordinal,
      kind: block.kind,
      headingPath: [...block.headingPath],
      span: block.span,
    }));
    return { blocks, chunks };
  }
}

async function parse(
  bytes: Uint8Array,
  path: string,
  mediaType: string,
): Promise<{ text: string; parsed: ParsedDocument }> {
  const text = decodeText(bytes);
  return { text, parsed: await parseDocument({ text, path, mediaType }) };
}

/** The tags and metadata that the document of a file would have, where the caller gives them: his and those that its text states. */
function labelsOf(document: NewDocument, given: Labels): Labels {
  return {
    ...(given.tags === undefined ? {} : { tags: document.tags }),
    ...(given.metadata === undefined ? {} : { metadata: document.metadata }),
  };
}

/** Whether the stored document has these tags and metadata, and no others; what is absent is not compared. */
function hasLabels(known: Known, { tags, metadata }: Labels): boolean {
  return (
    (tags === undefined || isEqual([...tags].sort(), (JSON.parse(known.tags ?? "[]") as string[]).sort())) &&
    (metadata === undefined || isEqual(sorted(metadata), sorted(JSON.parse(known.metadata) as object)))
  );
}

function sorted(record: object): [key: string, value: unknown][] {
  return Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1));
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function newDocument(
  file: CheckedIngestFile,
  parsed: ParsedDocument,
  asset: string,
  mediaType: string,
  lang: string | null,
): NewDocument {
  const { parserVersion } = parsed;
  return {
    id: documentId({ assetId: asset, parserVersion, workspacePath: file.path }),
    assetId: asset,
    workspacePath: file.path,
    parserVersion,
    title: file.title ?? parsed.title,
    lang,
    mediaType,
    sourceType: file.sourceType ?? "file",
    trust: file.trust ?? parsed.trust ?? 0.5,
    tags: [...new Set([...parsed.tags, ...(file.tags ?? [])])].toSorted(),
    metadata: { ...parsed.metadata, ...file.metadata },
  };
}
