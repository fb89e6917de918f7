import { DatabaseSync } from "node:sqlite";
import { statSync } from "node:fs";

/** What a part of the file holds, and the tables and indexes that are in it. */
const PARTS: readonly { part: string; is: (name: string, table: string) => boolean }[] = [
  { part: "source bytes", is: (_, table) => table === "blobs" || table === "assets" },
  { part: "chunk texts", is: (_, table) => table === "chunks" },
  { part: "text index: copy of the text", is: (name) => name === "chunks_fts_content" },
  { part: "text index", is: (name) => name.startsWith("chunks_fts") },
  { part: "vectors", is: (_, table) => table.startsWith("chunk_embeddings_") },
  { part: "blocks", is: (_, table) => table === "blocks" },
  { part: "embedding records", is: (_, table) => table === "embedding_records" },
  { part: "others", is: () => true },
];

/** Bytes of a closed database file by what is in them, the whole file last. */
export function fileParts(path: string): Map<string, number> {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db
    .prepare(
      `SELECT d.name, coalesce(s.tbl_name, d.name) AS "table", sum(d.pgsize) AS bytes
       FROM dbstat d LEFT JOIN sqlite_schema s ON s.name = d.name GROUP BY d.name`,
    )
    .all() as unknown as { name: string; table: string; bytes: number }[];
  db.close();
  const sizes = new Map(PARTS.map(({ part }) => [part, 0]));
  for (const { name, table, bytes } of rows) {
    const { part } = PARTS.find(({ is }) => is(name, table)) as { part: string };
    sizes.set(part, (sizes.get(part) ?? 0) + bytes);
  }
  return sizes.set("whole file", statSync(path).size);
}

/** Bytes of the stems in the copy that a text index keeps: not every such index has them. */
export function stemsCopied(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  const row = db.prepare("SELECT sum(octet_length(c2)) AS bytes FROM chunks_fts_content").get();
  db.close();
  return Number(row?.["bytes"]);
}

/** Bytes that a closed database would have with other pages, packed as close as they go. */
export function vacuumedBytes(path: string, pageBytes: number): number {
  const copy = `${path}.${pageBytes}`;
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA page_size = ${pageBytes}; VACUUM INTO '${copy}'`);
  db.close();
  return statSync(copy).size;
}
