import type { SearchHit } from "../../contracts/search.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { makeSnippet, type Marker } from "./snippet.ts";

/** What a hit shows of its chunk and document. */
export interface HitRow {
  chunk_key: number;
  chunk_id: string;
  document_id: string;
  title: string;
  heading_path: string;
  workspace_path: string;
  line_start: number;
  line_end: number;
  text: string;
  /** Corpus revision at the time of the read. */
  revision: string;
}

/** The columns of a hit row, for a query in which `c` is `chunks` and `d` is `documents`. */
const HIT_COLUMNS =
  "c.chunk_key, c.chunk_id, c.heading_path, c.line_start, c.line_end, c.text, d.document_id, d.title, d.workspace_path, " +
  "(SELECT value FROM kv WHERE key = 'corpus_revision') AS revision";

/** Reads what hits on these chunks show, by chunk key; a chunk that is gone is left out. */
export async function readHitRows(db: SqlDatabase, chunkKeys: readonly number[]): Promise<Map<number, HitRow>> {
  if (chunkKeys.length === 0) return new Map();
  const rows = await db.all<HitRow>(
    `SELECT ${HIT_COLUMNS} FROM json_each($1) j CROSS JOIN chunks c ON c.chunk_key = j.value
     JOIN documents d ON d.document_key = c.document_key`,
    [JSON.stringify(chunkKeys)],
  );
  return new Map(rows.map((row) => [row.chunk_key, row]));
}

/** The part of a hit that its row says. */
export function describeHit(
  row: HitRow,
  marker: Marker,
  snippetLength: number,
): Pick<SearchHit, "chunkId" | "documentId" | "title" | "headingPath" | "snippet" | "citation"> {
  const headingPath = JSON.parse(row.heading_path) as string[];
  return {
    chunkId: row.chunk_id,
    documentId: row.document_id,
    title: row.title,
    headingPath,
    snippet: makeSnippet(row.text, marker, snippetLength),
    citation: {
      workspacePath: row.workspace_path,
      headingPath,
      span: { kind: "line", start: row.line_start, end: row.line_end },
    },
  };
}
