import type { StreamingBlobStore } from "../contracts/blobs.ts";
import type { JobStatus } from "../contracts/jobs.ts";
import type { SqlDatabase } from "../contracts/sql.ts";
import type { SearchCacheStats, StoreStats } from "../contracts/store.ts";
import type { StatsOptions } from "../contracts/upkeep.ts";
import type { VectorStore } from "../contracts/vectors.ts";
import { readAssetStorage } from "./documents/asset-storage.ts";
import { readSizes } from "./upkeep/read-sizes.ts";

interface Totals {
  documents: number;
  chunks: number;
  blocks: number;
  assets: number;
  source_bytes: number;
  text_bytes: number;
  text_index_bytes: number;
  database_bytes: number;
  free_bytes: number;
  blob_bytes: number;
  corpus_revision: string;
  schema_version: number;
}

const TOTALS = `
  SELECT (SELECT count(*) FROM documents) AS documents,
         (SELECT count(*) FROM chunks) AS chunks,
         (SELECT count(*) FROM blocks) AS blocks,
         (SELECT count(*) FROM assets) AS assets,
         (SELECT coalesce(sum(a.byte_length), 0) FROM documents d JOIN assets a ON a.asset_id = d.asset_id) AS source_bytes,
         (SELECT coalesce(sum(octet_length(text)), 0) FROM chunks) AS text_bytes,
         (SELECT coalesce(sum(octet_length(block)), 0) FROM chunks_fts_data)
           + (SELECT coalesce(sum(octet_length(sz)), 0) FROM chunks_fts_docsize)
           + (SELECT coalesce(sum(octet_length(term)), 0) FROM chunks_fts_idx) AS text_index_bytes,
         (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size) AS database_bytes,
         (SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size) AS free_bytes,
         (SELECT coalesce(sum(octet_length(bytes)), 0) FROM blobs) AS blob_bytes,
         (SELECT value FROM kv WHERE key = 'corpus_revision') AS corpus_revision,
         (SELECT max(version) FROM schema_migrations) AS schema_version`;

/** What else than the database figures come from. */
export interface StatsParts {
  vectors: VectorStore | undefined;
  /** Bytes of assets beside the database. */
  assets: StreamingBlobStore | undefined;
  searchCache: SearchCacheStats;
}

/** Counts and sizes of the whole store; reads every chunk's header, so about a millisecond per thousand chunks, and the whole file
 *  for `sizes`. */
export async function readStats(
  db: SqlDatabase,
  { vectors, assets, searchCache }: StatsParts,
  { sizes }: Required<StatsOptions>,
): Promise<StoreStats> {
  const totals = await db.get<Totals>(TOTALS);
  const languages = await db.all<StoreStats["languages"][number]>(
    "SELECT lang, count(*) AS documents FROM documents GROUP BY lang ORDER BY count(*) DESC, lang",
  );
  const mediaTypes = await db.all<StoreStats["mediaTypes"][number]>(
    'SELECT media_type AS "mediaType", count(*) AS documents FROM documents GROUP BY media_type ORDER BY count(*) DESC, media_type',
  );
  const tags = await db.all<StoreStats["tags"][number]>(
    "SELECT tag, count(*) AS documents FROM document_tags GROUP BY tag ORDER BY count(*) DESC, tag LIMIT 200",
  );
  const records = await db.all<{ status: string; n: number }>(
    "SELECT status, count(*) AS n FROM embedding_records GROUP BY status",
  );
  const jobs = await db.all<{ status: JobStatus; n: number }>("SELECT status, count(*) AS n FROM jobs GROUP BY status");
  const having = (status: string): number => records.find((one) => one.status === status)?.n ?? 0;
  return {
    documents: totals?.documents ?? 0,
    chunks: totals?.chunks ?? 0,
    blocks: totals?.blocks ?? 0,
    assets: totals?.assets ?? 0,
    sourceBytes: totals?.source_bytes ?? 0,
    assetStorage: await readAssetStorage(db, assets),
    textBytes: totals?.text_bytes ?? 0,
    textIndexBytes: totals?.text_index_bytes ?? 0,
    databaseBytes: totals?.database_bytes ?? 0,
    freeBytes: totals?.free_bytes ?? 0,
    blobBytes: totals?.blob_bytes ?? 0,
    corpusRevision: Number(totals?.corpus_revision ?? 0),
    schemaVersion: totals?.schema_version ?? 0,
    languages,
    mediaTypes,
    tags,
    embeddings: { committed: having("committed"), pending: having("pending"), tombstones: having("tombstone") },
    jobs: { running: 0, completed: 0, failed: 0, cancelled: 0, interrupted: 0, ...countsOf(jobs) },
    sql: await db.capabilities(),
    searchCache,
    vectors: (await vectors?.capabilities()) ?? null,
    sizes: sizes ? await readSizes(db) : null,
  };
}

function countsOf(rows: readonly { status: JobStatus; n: number }[]): Partial<Record<JobStatus, number>> {
  return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
}
