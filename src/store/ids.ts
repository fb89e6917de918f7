import { blake3 } from "@noble/hashes/blake3.js";
import type { BlockKind, SourceSpan } from "../contracts/documents.ts";

/**
 * Ids: blake3 over the RFC 8785 canonical JSON of an object with a `kind`, the first 32 hex digits in lower case.
 *
 * The canonical form is written out by hand: keys in code-unit order, strings through `JSON.stringify` (whose
 * escapes are those of RFC 8785), integers as they print. A property test holds every function against the
 * `canonicalize` package. A large ingest makes a hundred thousand block ids.
 */

/** What a block id is made from. */
export interface BlockIdentity {
  documentId: string;
  kind: BlockKind;
  headingPath: readonly string[];
  ordinal: number;
  span: SourceSpan;
}

/** What a chunk id is made from. */
export interface ChunkIdentity {
  documentId: string;
  blockIds: readonly string[];
  chunkerVersion: string;
  policyHash: string;
}

/** What the id of an embedding is made from. */
export interface EmbeddingIdentity {
  chunkId: string;
  modelId: string;
  modelVersion: string;
  dimensions: number;
}

/** What the id of a vector index is made from. */
export interface IndexIdentity {
  collection: string;
  indexKind: string;
  indexVersion: string;
  indexParamsHash: string;
  embeddingModel: string;
  dimensions: number;
}

/** Returns the blake3 of the bytes, 64 hex digits in lower case. */
export function assetContentHash(bytes: Uint8Array): string {
  return hex(blake3(bytes), 32);
}

/** Makes the blake3 of bytes that come in pieces. */
export class ContentHasher {
  readonly #hash = blake3.create();

  update(piece: Uint8Array): void {
    this.#hash.update(piece);
  }

  /** 64 hex digits in lower case; nothing may be added later. */
  digest(): string {
    return hex(this.#hash.digest(), 32);
  }
}

/** Returns the id of the asset with this content hash. */
export function assetId(contentHash: string): string {
  return hash32(`{"asset_blake3":${text(contentHash)},"kind":"asset"}`);
}

/** Returns the id of the document that a parser version reads from an asset at a path. */
export function documentId(identity: { assetId: string; parserVersion: string; workspacePath: string }): string {
  return hash32(
    `{"asset_id":${text(identity.assetId)},"kind":"doc","parser_version":${text(identity.parserVersion)},` +
      `"workspace_path":${text(identity.workspacePath)}}`,
  );
}

let lastPath: readonly string[] | undefined;
let lastPathJson = "";

/** Returns the id of a block. Blocks of one section that share the array of their heading path cost less. */
export function blockId(block: BlockIdentity): string {
  if (block.headingPath !== lastPath) {
    lastPathJson = list(block.headingPath);
    lastPath = block.headingPath;
  }
  const { start, end } = block.span;
  return hash32(
    `{"block_kind":${text(block.kind)},"doc_id":${text(block.documentId)},"heading_path":${lastPathJson},` +
      `"kind":"block","ordinal":${integer(block.ordinal)},` +
      `"source_span":{"end":${integer(end)},"kind":"line","start":${integer(start)}}}`,
  );
}

/** Returns the id of a chunk. */
export function chunkId(chunk: ChunkIdentity): string {
  return hash32(
    `{"block_ids":${list(chunk.blockIds)},"chunker_version":${text(chunk.chunkerVersion)},` +
      `"doc_id":${text(chunk.documentId)},"kind":"chunk","policy_hash":${text(chunk.policyHash)}}`,
  );
}

/** Returns the id of the embedding of a chunk by one version of a model. */
export function embeddingId(embedding: EmbeddingIdentity): string {
  return hash32(
    `{"chunk_id":${text(embedding.chunkId)},"dimensions":${integer(embedding.dimensions)},"kind":"embedding",` +
      `"model_id":${text(embedding.modelId)},"model_version":${text(embedding.modelVersion)}}`,
  );
}

/** Returns the id of a vector index. */
export function indexId(index: IndexIdentity): string {
  return hash32(
    `{"collection":${text(index.collection)},"dimensions":${integer(index.dimensions)},` +
      `"embedding_model":${text(index.embeddingModel)},"index_kind":${text(index.indexKind)},` +
      `"index_params_hash":${text(index.indexParamsHash)},"index_version":${text(index.indexVersion)},"kind":"index"}`,
  );
}

/** Returns the first 32 hex digits of the blake3 of a text. */
export function hash32(canonicalJson: string): string {
  const room = canonicalJson.length * 3;
  if (scratch.length < room) scratch = new Uint8Array(room * 2);
  const { written } = encoder.encodeInto(canonicalJson, scratch);
  return hex(blake3(scratch.subarray(0, written)), 16);
}

const encoder = new TextEncoder();
let scratch: Uint8Array<ArrayBuffer> = new Uint8Array(8192);

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hex(bytes: Uint8Array, count: number): string {
  let digits = "";
  for (let i = 0; i < count; i++) digits += HEX[bytes[i]!]!;
  return digits;
}

function text(value: string): string {
  return JSON.stringify(value);
}

function list(values: readonly string[]): string {
  return JSON.stringify(values);
}

/** An id over a fraction or NaN would differ between JSON writers, so only whole numbers pass. */
function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`an id takes whole numbers, got ${value}`);
  return String(value === 0 ? 0 : value);
}
