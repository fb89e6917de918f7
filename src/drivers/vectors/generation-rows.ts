import type { SqlDatabase } from "../../contracts/sql.ts";
import { decodeVector } from "../../formats/stored-vector.ts";
import type { KnownTable } from "./vector-tables.ts";

const LABEL_AND_VECTOR = "v.chunk_key AS label, v.vector";
/** By its id a record is found at once: an equality would lead the planner through all that are committed. */
const COMMITTED = "r.status NOT IN ('pending', 'tombstone')";

/** A vector under its label, the key of its chunk. */
export interface LabelledVector {
  label: number;
  vector: Float32Array;
}

/** A vector with the key of its row. */
export interface PlacedVector extends LabelledVector {
  row: number;
}

/** The rows of one generation and the log of their changes. */
export class GenerationRows {
  readonly table: KnownTable;
  readonly generationKey: number;
  readonly #db: SqlDatabase;

  constructor(db: SqlDatabase, table: KnownTable, generationKey: number) {
    this.#db = db;
    this.table = table;
    this.generationKey = generationKey;
  }

  #decode(bytes: Uint8Array): Float32Array {
    return decodeVector(this.table.encoding, bytes);
  }

  /** The last change of any generation; 0 before the first. */
  async newestChange(): Promise<number> {
    const row = await this.#db.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'vector_changes'");
    return row?.seq ?? 0;
  }

  /** Changes up to here are no longer in the log. */
  async logStart(): Promise<number> {
    const row = await this.#db.get<{ start: number }>(
      "SELECT log_start AS start FROM vector_generations WHERE generation_key = $1",
      [this.generationKey],
    );
    return row?.start ?? 0;
  }

  /** Milliseconds since 1970; `undefined` where the generation is gone. */
  async createdAt(): Promise<number | undefined> {
    const row = await this.#db.get<{ createdAt: number }>(
      "SELECT created_at AS createdAt FROM vector_generations WHERE generation_key = $1",
      [this.generationKey],
    );
    return row?.createdAt;
  }

  /** How many rows there are, committed or not, and the key of the last one. */
  async extent(): Promise<{ total: number; last: number }> {
    return (await this.#db.get<{ total: number; last: number }>(
      `SELECT count(*) AS total, coalesce(max(vector_key), 0) AS last FROM "${this.table.tableName}"
       WHERE generation_key = $1`,
      [this.generationKey],
    )) as { total: number; last: number };
  }

  /** Rows after this one, committed or not. */
  async after(row: number, most: number): Promise<PlacedVector[]> {
    const rows = await this.#db.all<{ row: number; label: number; vector: Uint8Array }>(
      `SELECT vector_key AS row, chunk_key AS label, vector FROM "${this.table.tableName}"
         WHERE generation_key = $1 AND vector_key > $2 ORDER BY vector_key LIMIT ${most}`,
      [this.generationKey, row],
    );
    return rows.map(({ row, label, vector }) => ({ row, label, vector: this.#decode(vector) }));
  }

  /** Committed rows after this one, up to `last`. */
  async committedAfter(row: number, last: number, most: number): Promise<PlacedVector[]> {
    const rows = await this.#db.all<{ row: number; label: number; vector: Uint8Array }>(
      `SELECT v.vector_key AS row, ${LABEL_AND_VECTOR} FROM "${this.table.tableName}" v
         CROSS JOIN embedding_records r ON r.embedding_id = v.embedding_id
         WHERE v.generation_key = $1 AND v.vector_key > $2 AND v.vector_key <= $3 AND ${COMMITTED}
         ORDER BY v.vector_key LIMIT ${most}`,
      [this.generationKey, row, last],
    );
    return rows.map(({ row, label, vector }) => ({ row, label, vector: this.#decode(vector) }));
  }

  /** Labels of all that is committed, and the last change of any generation at that. */
  async committedLabels(): Promise<{ labels: number[]; newest: number }> {
    // One text instead of a row each.
    const row = await this.#db.get<{ labels: string; newest: number | null }>(
      `SELECT json_group_array(v.chunk_key) AS labels,
         (SELECT seq FROM sqlite_sequence WHERE name = 'vector_changes') AS newest
       FROM "${this.table.tableName}" v CROSS JOIN embedding_records r ON r.embedding_id = v.embedding_id
       WHERE v.generation_key = $1 AND ${COMMITTED}`,
      [this.generationKey],
    );
    return { labels: JSON.parse(row?.labels ?? "[]") as number[], newest: row?.newest ?? 0 };
  }

  /** Those of these labels that are committed, in the order of their rows. */
  async committedOf(labels: Iterable<number>): Promise<LabelledVector[]> {
    const rows = await this.#db.all<{ label: number; vector: Uint8Array }>(
      `SELECT ${LABEL_AND_VECTOR} FROM json_each($1) j
       CROSS JOIN "${this.table.tableName}" v ON v.chunk_key = j.value AND v.generation_key = $2
       CROSS JOIN embedding_records r ON r.embedding_id = v.embedding_id WHERE ${COMMITTED} ORDER BY v.vector_key`,
      [JSON.stringify([...labels]), this.generationKey],
    );
    return rows.map(({ label, vector }) => ({ label, vector: this.#decode(vector) }));
  }

  /** The vectors of these labels, committed or not. */
  async vectorsOf(labels: readonly number[]): Promise<Map<number, Float32Array>> {
    const rows = await this.#db.all<{ label: number; vector: Uint8Array }>(
      `SELECT ${LABEL_AND_VECTOR} FROM json_each($1) j
       CROSS JOIN "${this.table.tableName}" v ON v.chunk_key = j.value AND v.generation_key = $2`,
      [JSON.stringify(labels), this.generationKey],
    );
    return new Map(rows.map(({ label, vector }) => [label, this.#decode(vector)]));
  }

  /** So many vectors, spread over the `total` of the generation; none where there are fewer. */
  async sample(total: number, size: number): Promise<Float32Array[]> {
    if (total < size) return [];
    // The places come from an index alone: rows of other generations, as wide as their vectors, are not touched.
    const rows = await this.#db.all<{ vector: Uint8Array }>(
      `SELECT v.vector FROM (
         SELECT vector_key AS chosen, row_number() OVER (ORDER BY chunk_key) AS place
         FROM "${this.table.tableName}" WHERE generation_key = $1
       ) s JOIN "${this.table.tableName}" v ON v.vector_key = s.chosen WHERE s.place % $2 = 0 LIMIT ${size}`,
      [this.generationKey, Math.floor(total / size)],
    );
    return rows.map(({ vector }) => this.#decode(vector));
  }

  /** Entries of the log after this one: the label that each names. */
  async changesAfter(change: number, most: number): Promise<{ change: number; label: number }[]> {
    return this.#db.all<{ change: number; label: number }>(
      `SELECT change, chunk_key AS label FROM vector_changes
         WHERE generation_key = $1 AND change > $2 ORDER BY change LIMIT ${most}`,
      [this.generationKey, change],
    );
  }

  /** How many entries of the log come after this one. */
  async countChangesAfter(change: number): Promise<number> {
    const row = await this.#db.get<{ n: number }>(
      "SELECT count(*) AS n FROM vector_changes WHERE generation_key = $1 AND change > $2",
      [this.generationKey, change],
    );
    return row?.n ?? 0;
  }
}
