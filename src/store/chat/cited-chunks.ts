import type { ChatCitation } from "../../contracts/chat.ts";
import type { CheckedCitation } from "../../contracts/check-chat.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import type { CallSite } from "../../contracts/validate.ts";
import { StorageError } from "../../errors.ts";

interface CitedRow {
  chunk_id: string;
  document_id: string;
  title: string;
  workspace_path: string;
  heading_path: string;
  line_start: number;
  line_end: number;
}

/** Looks up what is cited by the id of a chunk alone, so that the citation can be read when the chunk is gone.
 *  @throws StorageError NOT_FOUND */
export async function lookUpCitations(
  tx: SqlExecutor,
  citations: readonly CheckedCitation[],
  { capability, operation }: CallSite,
): Promise<ChatCitation[]> {
  const wanted = citations.filter((citation) => !isWhole(citation)).map(({ chunkId }) => chunkId);
  const found = wanted.length === 0 ? new Map<string, ChatCitation>() : await readCited(tx, wanted);
  return citations.map((citation) => {
    const whole = isWhole(citation) ? citation : found.get(citation.chunkId);
    if (whole !== undefined) return whole;
    const message = `there is no chunk "${citation.chunkId}" to cite; cite it with its document, title, path and span`;
    throw new StorageError("NOT_FOUND", message, { capability, operation });
  });
}

function isWhole(citation: CheckedCitation): citation is ChatCitation {
  return citation.documentId !== undefined;
}

async function readCited(tx: SqlExecutor, ids: readonly string[]): Promise<Map<string, ChatCitation>> {
  const rows = await tx.all<CitedRow>(
    `SELECT c.chunk_id, d.document_id, d.title, d.workspace_path, c.heading_path, c.line_start, c.line_end
     FROM json_each($1) wanted CROSS JOIN chunks c ON c.chunk_id = wanted.value
     JOIN documents d ON d.document_key = c.document_key`,
    [JSON.stringify(ids)],
  );
  return new Map(
    rows.map((row) => [
      row.chunk_id,
      {
        chunkId: row.chunk_id,
        documentId: row.document_id,
        title: row.title,
        workspacePath: row.workspace_path,
        headingPath: JSON.parse(row.heading_path) as string[],
        span: { kind: "line", start: row.line_start, end: row.line_end },
      },
    ]),
  );
}
