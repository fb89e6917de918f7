import type { Block, BlockKind } from "../../contracts/documents.ts";
import type { SqlExecutor, SqlValue } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { packedSql, unpackedSql } from "../compression/packed-ids.ts";
import type { StorageStyle } from "../compression/storage-style.ts";

/** Stands for the heading path of the block before: most blocks of a section have it. */
const AS_BEFORE = "[0]";

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
    `SELECT d.document_id, b.ordinal, ${unpackedSql("b.block_id")} AS block_id, b.kind, b.heading_path, b.line_start, b.line_end
     FROM documents d JOIN blocks b ON b.document_key = d.document_key
     WHERE d.document_id = $1 ORDER BY b.ordinal`,
    [documentId],
  );
  let path = "[]";
  return rows.map((row, at) => {
    if (row.heading_path !== AS_BEFORE) path = row.heading_path;
    else if (at === 0) throw headless(documentId);
    return {
      id: row.block_id,
      documentId: row.document_id,
      ordinal: row.ordinal,
      kind: row.kind,
      headingPath: JSON.parse(path) as string[],
      span: { kind: "line", start: row.line_start, end: row.line_end },
    };
  });
}

function headless(documentId: string): StorageError {
  return new StorageError("CORRUPT", `the first block of document "${documentId}" has no heading path`, {
    capability: "documents",
    operation: "getBlocks",
  });
}

/** Inserts the blocks of a document that has none. */
export async function insertBlocks(
  tx: SqlExecutor,
  documentKey: number,
  blocks: readonly Block[],
  style: StorageStyle,
): Promise<void> {
  if (blocks.length === 0) return;
  const isCompact = style === "compact";
  let before = "";
  await tx.runMany(
    `INSERT INTO blocks (document_key, ordinal, block_id, kind, heading_path, line_start, line_end)
     VALUES ($1, $2, ${isCompact ? packedSql("$3") : "$3"}, $4, $5, $6, $7)`,
    blocks.map((block): SqlValue[] => {
      const path = JSON.stringify(block.headingPath);
      const written = isCompact && path === before ? AS_BEFORE : path;
      before = path;
      return [documentKey, block.ordinal, block.id, block.kind, written, block.span.start, block.span.end];
    }),
  );
}

/** Replaces the blocks of a document. */
export async function replaceBlocks(
  tx: SqlExecutor,
  documentKey: number,
  blocks: readonly Block[],
  style: StorageStyle,
): Promise<void> {
  await tx.run("DELETE FROM blocks WHERE document_key = $1", [documentKey]);
  await insertBlocks(tx, documentKey, blocks, style);
}
