import type { SqlDatabase, SqlExecutor } from "../../src/contracts/sql.ts";
import type { DocumentFilter } from "../../src/contracts/documents.ts";
import type { VectorMetric, VectorRecord, VectorTable } from "../../src/contracts/vectors.ts";
import { embeddingId, hash32 } from "../../src/store/ids.ts";
import type { Random } from "../wasm/random.ts";

/** A document of the corpus, as a filter sees it. */
export interface CorpusDocument {
  id: string;
  path: string;
  lang: string;
  media: string;
  sourceType: string;
  trust: number;
  ingestedAt: number;
  tags: string[];
}

export interface CorpusChunk {
  id: string;
  document: CorpusDocument;
}

/** Documents and chunks without text, written as rows: what vectors belong to. */
export class VectorCorpus {
  readonly db: SqlDatabase;
  readonly chunks: readonly CorpusChunk[];

  private constructor(db: SqlDatabase, chunks: readonly CorpusChunk[]) {
    this.db = db;
    this.chunks = chunks;
  }

  /** Writes so many chunks, `chunksEach` to a document. */
  static async create(db: SqlDatabase, count: number, chunksEach = 4): Promise<VectorCorpus> {
    const chunks = chunksOf(count, chunksEach);
    const documents = [...new Set(chunks.map(({ document }) => document))];
    await db.transaction(async (tx) => {
      await tx.run(
        `INSERT INTO assets (asset_id, content_hash, byte_length, media_type, created_at) VALUES ('a', 'h', 0, 'text/plain', 0)`,
      );
      await tx.runMany(
        `INSERT INTO documents (document_id, asset_id, workspace_path, parser_version, title, lang, media_type, source_type, trust, metadata, ingested_at)
         VALUES ($1, 'a', $2, 'p', '', $3, $4, $5, $6, '{}', $7)`,
        documents.map((one) => [one.id, one.path, one.lang, one.media, one.sourceType, one.trust, one.ingestedAt]),
      );
      await tx.runMany(
        "INSERT INTO document_tags (document_key, tag) SELECT document_key, $2 FROM documents WHERE document_id = $1",
        documents.flatMap(({ id, tags }) => tags.map((tag) => [id, tag])),
      );
      await tx.runMany(
        `INSERT INTO chunks (chunk_id, document_key, ordinal, block_ids, heading_path, heading_text, text, line_start, line_end, token_count, chunker_version, policy_hash)
         SELECT $1, document_key, $3, '[]', '[]', '', 'x', 1, 1, 1, 'c', 'p' FROM documents WHERE document_id = $2`,
        chunks.map(({ id, document }, at) => [id, document.id, at]),
      );
    });
    return new VectorCorpus(db, chunks);
  }

  /** The chunks that {@link VectorCorpus.create} wrote to a database that is opened anew. */
  static of(db: SqlDatabase, count: number, chunksEach = 4): VectorCorpus {
    return new VectorCorpus(db, chunksOf(count, chunksEach));
  }

  /** The record of a chunk's embedding. */
  record(table: VectorTable, at: number, vector: Float32Array, modelVersion = "1"): VectorRecord {
    const { id: chunkId, document } = this.chunks[at] as CorpusChunk;
    const { modelId, dimensions } = table;
    const id = embeddingId({ chunkId, modelId, modelVersion, dimensions });
    return { embeddingId: id, chunkId, documentId: document.id, modelVersion, vector };
  }

  /** Marks embeddings as committed, which is when searches see them; or as something else. */
  async mark(
    table: VectorTable,
    records: readonly VectorRecord[],
    status: "pending" | "committed" | "tombstone" = "committed",
    executor: SqlExecutor = this.db,
  ): Promise<void> {
    await executor.runMany(
      `INSERT INTO embedding_records (embedding_id, chunk_id, document_id, model_id, model_version, dimensions, status, created_at, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0) ON CONFLICT (embedding_id) DO UPDATE SET status = excluded.status`,
      records.map((record) => [
        record.embeddingId,
        record.chunkId,
        record.documentId,
        table.modelId,
        record.modelVersion,
        table.dimensions,
        status,
      ]),
    );
  }

  /** Deletes the records of embeddings, with no regard to their vectors. */
  async forget(records: readonly VectorRecord[]): Promise<void> {
    await this.db.runMany(
      "DELETE FROM embedding_records WHERE embedding_id = $1",
      records.map(({ embeddingId }) => [embeddingId]),
    );
  }
}

function chunksOf(count: number, chunksEach: number): CorpusChunk[] {
  const chunks: CorpusChunk[] = [];
  for (let n = 0; n * chunksEach < count; n++) {
    const document = documentOf(n);
    for (let at = n * chunksEach; at < Math.min(count, (n + 1) * chunksEach); at++) {
      chunks.push({ id: hash32(`chunk ${at}`), document });
    }
  }
  return chunks;
}

const LANGS = ["en", "zh", "zh-cn", "ko"];
const MEDIA = ["text/markdown", "text/html", "application/pdf"];

/** Every field takes another share of the documents. */
function documentOf(n: number): CorpusDocument {
  return {
    id: hash32(`document ${n}`),
    path: `${n % 2 === 0 ? "notes" : "work/deep"}/${n}.md`,
    lang: LANGS[n % LANGS.length] as string,
    media: MEDIA[n % MEDIA.length] as string,
    sourceType: n % 5 === 0 ? "url" : "file",
    trust: (n % 10) / 10,
    ingestedAt: 1000 + n,
    tags: n % 7 === 0 ? ["seven", "any"] : ["any"],
  };
}

/** Filters from all to nothing, each with what it means, said once more in the simplest way. */
export const FILTERS: readonly { filter: DocumentFilter; allows: (document: CorpusDocument) => boolean }[] = [
  { filter: {}, allows: () => true },
  { filter: { tagsAny: ["any"] }, allows: () => true },
  { filter: { trustMin: 0.1 }, allows: ({ trust }) => trust >= 0.1 },
  { filter: { media: "text/*" }, allows: ({ media }) => media.startsWith("text/") },
  { filter: { pathGlob: "notes/**" }, allows: ({ path }) => path.startsWith("notes/") },
  { filter: { lang: "zh" }, allows: ({ lang }) => lang === "zh" || lang === "zh-cn" },
  { filter: { sourceType: ["url"] }, allows: ({ sourceType }) => sourceType === "url" },
  { filter: { tagsAny: ["seven", "none"] }, allows: ({ tags }) => tags.includes("seven") },
  {
    filter: { lang: ["ko"], media: "application/pdf", trustMin: 0.3 },
    allows: ({ lang, media, trust }) => lang === "ko" && media === "application/pdf" && trust >= 0.3,
  },
  { filter: { ingestedAfter: 1002 }, allows: ({ ingestedAt }) => ingestedAt > 1002 },
  { filter: { docId: [hash32("document 1")] }, allows: ({ id }) => id === hash32("document 1") },
  { filter: { docId: hash32("nobody") }, allows: () => false },
];

/** Vectors without any order in them. */
export function randomVectors(random: Random, count: number, dimensions: number): Float32Array[] {
  return Array.from({ length: count }, () => Float32Array.from({ length: dimensions }, () => random.normal()));
}

/** How near two vectors are, in the words of the contract and in double precision. */
export function scoreOf(metric: VectorMetric, a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let squareA = 0;
  let squareB = 0;
  let distance = 0;
  for (let at = 0; at < a.length; at++) {
    const x = a[at] as number;
    const y = b[at] as number;
    dot += x * y;
    squareA += x * x;
    squareB += y * y;
    distance += (x - y) * (x - y);
  }
  if (metric === "dot") return dot;
  return metric === "l2" ? -Math.sqrt(distance) : dot / Math.sqrt(squareA * squareB);
}
