import type { Block, BlockKind } from "../../contracts/documents.ts";
import type { SqlExecutor, SqlValue } from "../../contracts/sql.ts";

interface BlockRow {
  document_id: string;
  ordinal: number;
  block_id: string;
  kind: BlockKind;
  heading_path: string;
  line_start: number;
  line_end: number;
}

/** Returns the blocks of a document, in order. */
export async function readBlocks(db: SqlExecutor, documentId: string): Promise<Block[]> {
  const rows = await db.all<BlockRow>(
    `SELECT d.document_id, b.ordinal, b.block_id, b.kind, b.heading_path, b.line_start, b.line_end
     FROM documents d JOIN blocks b ON b.document_key = d.document_key
     WHERE d.document_id = $1 ORDER BY b.ordinal`,
    [documentId],
  );
  return rows.map((row) => ({
    id: row.block_id,
    documentId: row.document_id,
    ordinal: row.ordinal,
    kind: row.kind,
    headingPath: JSON.parse(row.heading_path) as string[],
    span: { kind: "line", start: row.line_start, end: row.line_end },
  }));
}

/** Inserts the blocks of a document that has none. */
export async function insertBlocks(tx: SqlExecutor, documentKey: number, blocks: readonly Block[]): Promise<void> {
  if (blocks.length === 0) return;
  await tx.runMany(
    `INSERT INTO blocks (document_key, ordinal, block_id, kind, heading_path, line_start, line_end)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    blocks.map((block): SqlValue[] => [
      documentKey,
      block.ordinal,
      block.id,
      block.kind,
      JSON.stringify(block.headingPath),
      block.span.start,
      block.span.end,
    ]),
  );
}

/** Replaces the blocks of a document. */
export async function replaceBlocks(tx: SqlExecutor, documentKey: number, blocks: readonly Block[]): Promise<void> {
  await tx.run("DELETE FROM blocks WHERE document_key = $1", [documentKey]);
  await insertBlocks(tx, documentKey, blocks);
}
