import type { Chunk } from "../../contracts/documents.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { joinIds, packedSql, splitIds, unpackedSql } from "../compression/packed-ids.ts";
import type { StorageStyle } from "../compression/storage-style.ts";
import { beginTextIndexEpoch } from "../search/text-index.ts";
import { headingText } from "./heading-text.ts";

/** The document that chunks belong to. */
export interface ChunkOwner {
  key: number;
  id: string;
  title: string;
}

/** Returns the document that blocks or chunks are put to.
 *  @throws StorageError NOT_FOUND */
export async function requireOwner(tx: SqlExecutor, documentId: string, operation: string): Promise<ChunkOwner> {
  const owner = await tx.get<{ key: number; title: string }>(
    "SELECT document_key AS key, title FROM documents WHERE document_id = $1",
    [documentId],
  );
  if (owner !== undefined) return { key: owner.key, id: documentId, title: owner.title };
  throw new StorageError("NOT_FOUND", `there is no document "${documentId}"`, { capability: "documents", operation });
}

interface ChunkRow {
  chunk_id: string;
  document_id: string;
  ordinal: number;
  block_ids: string;
  heading_path: string;
  text: string;
  line_start: number;
  line_end: number;
  token_count: number;
  chunker_version: string;
  policy_hash: string;
}

const COLUMNS = `c.chunk_id, d.document_id, c.ordinal, ${unpackedSql("c.block_ids")} AS block_ids, c.heading_path,
  c.text, c.line_start, c.line_end,
  c.token_count, c.chunker_version, c.policy_hash`;

function toChunk(row: ChunkRow): Chunk {
  return {
    id: row.chunk_id,
    documentId: row.document_id,
    ordinal: row.ordinal,
    blockIds: splitIds(row.block_ids),
    headingPath: JSON.parse(row.heading_path) as string[],
    text: row.text,
    span: { kind: "line", start: row.line_start, end: row.line_end },
    tokenCount: row.token_count,
    chunkerVersion: row.chunker_version,
    policyHash: row.policy_hash,
  };
}

/** Returns the chunks with these ids in the order of `ids`; what is not there is left out. */
export async function readChunks(db: SqlExecutor, ids: readonly string[]): Promise<Chunk[]> {
  const rows = await db.all<ChunkRow>(
    `SELECT ${COLUMNS} FROM json_each($1) wanted CROSS JOIN chunks c ON c.chunk_id = wanted.value
     JOIN documents d ON d.document_key = c.document_key ORDER BY wanted.key`,
    [JSON.stringify(ids)],
  );
  return rows.map(toChunk);
}

/** Returns the chunks of a document, in order. */
export async function readChunksOf(db: SqlExecutor, documentId: string): Promise<Chunk[]> {
  const rows = await db.all<ChunkRow>(
    `SELECT ${COLUMNS} FROM documents d JOIN chunks c ON c.document_key = d.document_key
     WHERE d.document_id = $1 ORDER BY c.ordinal`,
    [documentId],
  );
  return rows.map(toChunk);
}

/** Returns the ids of the chunks at a path, in order. */
export async function readChunkIdsAt(db: SqlExecutor, workspacePath: string): Promise<string[]> {
  const rows = await db.all<{ chunk_id: string }>(
    `SELECT c.chunk_id FROM documents d JOIN chunks c ON c.document_key = d.document_key
     WHERE d.workspace_path = $1 ORDER BY c.ordinal`,
    [workspacePath],
  );
  return rows.map((row) => row.chunk_id);
}

/** A statement takes chunks of about this many characters at once, … */
const BATCH_CHARACTERS = 1_000_000;
/** … at most this many. */
const BATCH_CHUNKS = 1000;

/** Inserts chunks that are not there; the triggers index them.
 *  The rows travel as one JSON text: a statement per chunk would start a statement journal and a savepoint of the text
 *  index for each. Measured on sqlite-wasm with 7 chunks a document: 0.22 ms instead of 0.57 ms a document. */
export async function insertChunks(
  tx: SqlExecutor,
  owner: ChunkOwner,
  chunks: readonly Chunk[],
  style: StorageStyle,
): Promise<void> {
  if (chunks.length === 0) return;
  const last = await takeChunkKeys(tx, chunks.length);
  const blockIds = style === "compact" ? packedSql("value ->> 2") : "value ->> 2";
  for (let start = 0; start < chunks.length;) {
    const rows: unknown[] = [];
    const firstKey = last - chunks.length + 1 + start;
    for (
      let characters = 0;
      start < chunks.length && rows.length < BATCH_CHUNKS && characters < BATCH_CHARACTERS;
      start++
    ) {
      const chunk = chunks[start];
      if (chunk === undefined) break;
      characters += chunk.text.length;
      rows.push(toJsonRow(owner, chunk, style));
    }
    await tx.run(
      `INSERT INTO chunks (chunk_key, document_key, chunk_id, ordinal, block_ids, heading_path, heading_text, text,
                           line_start, line_end, token_count, chunker_version, policy_hash)
       SELECT $3 + key, $1, value ->> 0, value ->> 1, ${blockIds}, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
              value ->> 7, value ->> 8, value ->> 9, value ->> 10
       FROM json_each($2)`,
      [owner.key, JSON.stringify(rows), firstKey],
    );
  }
}

/** Greatest key of a chunk: indexes keep keys in 32 bits. */
export const MAX_CHUNK_KEY = 0xffff_ffff;

/** Takes keys that no chunk ever had, and returns the last of them. A search reads keys first and rows later, and an index knows
 *  vectors by keys: what one of them meant must not become another chunk meanwhile. */
async function takeChunkKeys(tx: SqlExecutor, count: number): Promise<number> {
  const row = await tx.get<{ last: number }>(
    `INSERT INTO kv (key, value) VALUES ('last_chunk_key', CAST($1 + coalesce((SELECT max(chunk_key) FROM chunks), 0) AS TEXT))
     ON CONFLICT (key) DO UPDATE SET
       value = CAST($1 + max(CAST(value AS INTEGER), coalesce((SELECT max(chunk_key) FROM chunks), 0)) AS TEXT)
     RETURNING CAST(value AS INTEGER) AS last`,
    [count],
  );
  if (row === undefined)
    throw new StorageError("DRIVER", "kv took no value", { capability: "documents", operation: "put" });
  if (row.last > MAX_CHUNK_KEY) {
    const message = `chunks have been written ${MAX_CHUNK_KEY} times, and keys are never used again: take the documents into a new store`;
    throw new StorageError("QUOTA_EXCEEDED", message, { capability: "documents", operation: "put" });
  }
  return row.last;
}

function toJsonRow(owner: ChunkOwner, chunk: Chunk, style: StorageStyle): unknown[] {
  return [
    chunk.id,
    chunk.ordinal,
    style === "compact" ? joinIds(chunk.blockIds) : JSON.stringify(chunk.blockIds),
    JSON.stringify(chunk.headingPath),
    headingText(owner.title, chunk.headingPath),
    chunk.text,
    chunk.span.start,
    chunk.span.end,
    chunk.tokenCount,
    chunk.chunkerVersion,
    chunk.policyHash,
  ];
}

/** Makes `chunks` the chunks of the document. Those that stay as they are keep their rows and embeddings; the others go,
 *  leaving tombstones, and come anew.
 *  @returns whether anything changed. */
export async function replaceChunks(
  tx: SqlExecutor,
  owner: ChunkOwner,
  chunks: readonly Chunk[],
  style: StorageStyle,
): Promise<boolean> {
  const wanted = new Map(chunks.map((chunk) => [chunk.id, fingerprint(chunk)]));
  const kept = new Set<string>();
  const gone: string[] = [];
  for (const chunk of await readChunksOf(tx, owner.id)) {
    if (wanted.get(chunk.id) === fingerprint(chunk)) kept.add(chunk.id);
    else gone.push(chunk.id);
  }
  if (gone.length > 0) {
    await tx.run("DELETE FROM chunks WHERE document_key = $1 AND chunk_id IN (SELECT value FROM json_each($2))", [
      owner.key,
      JSON.stringify(gone),
    ]);
  }
  const added = chunks.filter((chunk) => !kept.has(chunk.id));
  await insertChunks(tx, owner, added, style);
  return gone.length > 0 || added.length > 0;
}

function fingerprint(chunk: Chunk): string {
  return JSON.stringify(toJsonRow({ key: 0, id: "", title: "" }, chunk, "plain"));
}

/** Indexes the chunks of a document under its new title. Their texts and embeddings stay. */
export async function retitleChunks(tx: SqlExecutor, owner: ChunkOwner): Promise<void> {
  const chunks = await readChunksOf(tx, owner.id);
  if (chunks.length === 0) return;
  await tx.runMany(
    "UPDATE chunks SET heading_text = $1 WHERE chunk_id = $2",
    chunks.map((chunk) => [headingText(owner.title, chunk.headingPath), chunk.id]),
  );
  await beginTextIndexEpoch(tx);
}
