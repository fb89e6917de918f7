import type { CheckedDocument } from "../../contracts/check-documents.ts";
import { canonicalJson } from "../../contracts/check-json.ts";
import type { Document } from "../../contracts/documents.ts";
import type { SqlExecutor, SqlValue } from "../../contracts/sql.ts";
import { type AssetBlobs, dropUnusedAsset } from "./asset-rows.ts";
import { retitleChunks } from "./chunk-rows.ts";
import { bumpCorpusRevision } from "./corpus-revision.ts";

export interface DocumentRow {
  document_key: number;
  document_id: string;
  asset_id: string;
  workspace_path: string;
  parser_version: string;
  title: string;
  lang: string | null;
  media_type: string;
  source_type: string;
  trust: number;
  metadata: string;
  ingested_at: number;
  /** JSON list. */
  tags: string;
}

/** What a {@link DocumentRow} selects from `documents d`. */
export const DOCUMENT_COLUMNS = `d.document_key, d.document_id, d.asset_id, d.workspace_path, d.parser_version, d.title, d.lang,
  d.media_type, d.source_type, d.trust, d.metadata, d.ingested_at,
  (SELECT json_group_array(t.tag) FROM document_tags t WHERE t.document_key = d.document_key) AS tags`;

export function toDocument(row: DocumentRow): Document {
  return {
    id: row.document_id,
    assetId: row.asset_id,
    workspacePath: row.workspace_path,
    parserVersion: row.parser_version,
    title: row.title,
    lang: row.lang,
    mediaType: row.media_type,
    sourceType: row.source_type,
    trust: row.trust,
    tags: (JSON.parse(row.tags) as string[]).sort(),
    metadata: JSON.parse(row.metadata) as Record<string, unknown>,
    ingestedAt: row.ingested_at,
  };
}

/** Returns the document for which `condition` holds with `$1` as `value`. */
export async function readDocument(
  db: SqlExecutor,
  condition: "d.document_id = $1" | "d.workspace_path = $1",
  value: string,
): Promise<Document | undefined> {
  const row = await db.get<DocumentRow>(`SELECT ${DOCUMENT_COLUMNS} FROM documents d WHERE ${condition}`, [value]);
  return row === undefined ? undefined : toDocument(row);
}

/** What putting a document did. */
export interface PutDocument {
  key: number;
  document: Document;
  /** `new`: there are no blocks and chunks under its key yet. */
  outcome: "new" | "changed" | "unchanged";
}

/** Puts a document whose asset is recorded. Another document at its path goes first; assets that no document has any more go last. */
export async function putDocumentRow(
  tx: SqlExecutor,
  blobs: AssetBlobs,
  document: CheckedDocument,
): Promise<PutDocument> {
  const rows = await tx.all<DocumentRow>(
    `SELECT ${DOCUMENT_COLUMNS} FROM documents d WHERE d.document_id = $1 OR d.workspace_path = $2`,
    [document.id, document.workspacePath],
  );
  const same = rows.find((row) => row.document_id === document.id);
  const before = same === undefined ? undefined : toDocument(same);
  const after = toStored(document, before);
  if (same !== undefined && after === before) {
    return { key: same.document_key, document: before, outcome: "unchanged" };
  }
  const replaced = rows.find((row) => row.document_id !== document.id);
  if (replaced !== undefined) await tx.run("DELETE FROM documents WHERE document_key = $1", [replaced.document_key]);
  const key = same === undefined ? await insertRow(tx, document, after) : same.document_key;
  if (same !== undefined) {
    await updateRow(tx, document, after, key);
    if (same.title !== after.title) await retitleChunks(tx, { key, id: after.id, title: after.title });
  }
  for (const released of new Set(rows.map((row) => row.asset_id))) {
    if (released !== document.assetId) await dropUnusedAsset(tx, blobs, released);
  }
  return { key, document: after, outcome: same === undefined ? "new" : "changed" };
}

/** Returns the document as it will be stored: `before` itself when nothing changed. A document put again without a time
 *  keeps the one it has unless something else in it changed. */
function toStored(document: CheckedDocument, before: Document | undefined): Document {
  const metadata = JSON.parse(document.metadata) as Record<string, unknown>;
  if (before !== undefined) {
    const again: Document = { ...document, metadata, ingestedAt: document.ingestedAt ?? before.ingestedAt };
    if (canonicalJson(again) === canonicalJson(before)) return before;
  }
  return { ...document, metadata, ingestedAt: document.ingestedAt ?? Date.now() };
}

function columns(document: CheckedDocument, stored: Document): SqlValue[] {
  return [
    stored.id,
    stored.assetId,
    stored.workspacePath,
    stored.parserVersion,
    stored.title,
    stored.lang,
    stored.mediaType,
    stored.sourceType,
    stored.trust,
    document.metadata,
    stored.ingestedAt,
  ];
}

async function insertRow(tx: SqlExecutor, document: CheckedDocument, stored: Document): Promise<number> {
  const { lastInsertRowid: key } = await tx.run(
    `INSERT INTO documents (document_id, asset_id, workspace_path, parser_version, title, lang, media_type, source_type,
                            trust, metadata, ingested_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    columns(document, stored),
  );
  await insertTags(tx, key, stored.tags);
  return key;
}

async function updateRow(tx: SqlExecutor, document: CheckedDocument, stored: Document, key: number): Promise<void> {
  await tx.run(
    `UPDATE documents SET document_id = $1, asset_id = $2, workspace_path = $3, parser_version = $4, title = $5, lang = $6,
            media_type = $7, source_type = $8, trust = $9, metadata = $10, ingested_at = $11
     WHERE document_key = $12`,
    [...columns(document, stored), key],
  );
  await tx.run("DELETE FROM document_tags WHERE document_key = $1", [key]);
  await insertTags(tx, key, stored.tags);
}

async function insertTags(tx: SqlExecutor, key: number, tags: readonly string[]): Promise<void> {
  if (tags.length === 0) return;
  await tx.run("INSERT INTO document_tags (document_key, tag) SELECT $1, value FROM json_each($2)", [
    key,
    JSON.stringify(tags),
  ]);
}

/** Deletes the document for which `condition` holds with `$1` as `value`; its tags, blocks, chunks and index rows go with
 *  it, its asset when nothing else has it.
 *  @returns whether there was one. */
export async function deleteDocumentWhere(
  tx: SqlExecutor,
  blobs: AssetBlobs,
  condition: "d.document_id = $1" | "d.workspace_path = $1",
  value: string,
): Promise<boolean> {
  const row = await tx.get<{ document_key: number; asset_id: string }>(
    `SELECT d.document_key, d.asset_id FROM documents d WHERE ${condition}`,
    [value],
  );
  if (row === undefined) return false;
  await tx.run("DELETE FROM documents WHERE document_key = $1", [row.document_key]);
  await dropUnusedAsset(tx, blobs, row.asset_id);
  await bumpCorpusRevision(tx);
  return true;
}
