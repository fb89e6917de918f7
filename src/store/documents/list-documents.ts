import { checkPage } from "../../contracts/check-page.ts";
import type { Document, DocumentFilter, Page, PageRequest } from "../../contracts/documents.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { compileDocumentFilter } from "../document-filter.ts";
import { decodeDocumentCursor, encodeDocumentCursor, filterFingerprint } from "./document-cursor.ts";
import { DOCUMENT_COLUMNS, type DocumentRow, toDocument } from "./document-rows.ts";

/** Returns a page of documents by path. The cursor is the last path, so what is put or deleted between two pages moves
 *  nothing else from one page to another. */
export async function listDocuments(
  db: SqlExecutor,
  filter: DocumentFilter | undefined,
  page: PageRequest | undefined,
): Promise<Page<Document>> {
  const site = { capability: "documents", operation: "listDocuments" } as const;
  const { limit, cursor } = checkPage(site, page);
  const compiled = compileDocumentFilter(filter, 3, site);
  const fingerprint = filterFingerprint(compiled);
  const after = cursor === undefined ? "" : decodeDocumentCursor(site, cursor, fingerprint);
  const rows = await db.all<DocumentRow>(
    `SELECT ${DOCUMENT_COLUMNS} FROM documents d WHERE d.workspace_path > $1 AND ${compiled.sql}
     ORDER BY d.workspace_path LIMIT $2`,
    [after, limit + 1, ...compiled.params],
  );
  const items = rows.slice(0, limit).map(toDocument);
  const last = items.at(-1);
  if (rows.length <= limit || last === undefined) return { items };
  return { items, nextCursor: encodeDocumentCursor(fingerprint, last.workspacePath) };
}

/** Returns how many documents the filter takes. */
export async function countDocuments(db: SqlExecutor, filter: DocumentFilter | undefined): Promise<number> {
  const { sql, params } = compileDocumentFilter(filter, 1, { capability: "documents", operation: "countDocuments" });
  const row = await db.get<{ n: number }>(`SELECT count(*) AS n FROM documents d WHERE ${sql}`, params);
  return row?.n ?? 0;
}
