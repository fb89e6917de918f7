import type { VectorMetric, VectorRecord, VectorTable } from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";
import type { ArrowModule, ArrowSchema } from "./lance-module.ts";

/** Raised when the columns or what they mean change. */
const FORMAT = "1";
/** The columns that name a row: an embedding is one chunk's by one version of a model. */
export const MERGE_KEY: readonly string[] = ["chunk_id", "model_version"];

/** Declares a column of the merge key: only then Lance notices that two writers insert the same row at once. */
function keyColumn(name: string): Map<string, string> {
  return new Map([
    ["lance-schema:unenforced-primary-key", "true"],
    ["lance-schema:unenforced-primary-key:position", `${MERGE_KEY.indexOf(name) + 1}`],
  ]);
}

/** Columns of a Lance table, with what they belong to in the schema's metadata. */
export function lanceSchema(arrow: ArrowModule, table: VectorTable): ArrowSchema {
  const { Field, FixedSizeList, Float32, Int64, Schema, TimestampMillisecond, Utf8 } = arrow;
  const vector = new FixedSizeList(table.dimensions, new Field("item", new Float32(), true));
  const fields = [
    new Field("chunk_id", new Utf8(), false, keyColumn("chunk_id")),
    new Field("model_version", new Utf8(), false, keyColumn("model_version")),
    new Field("embedding_id", new Utf8(), false),
    new Field("document_id", new Utf8(), false),
    new Field("chunk_key", new Int64(), false),
    new Field("model", new Utf8(), false),
    new Field("created_at", new TimestampMillisecond(), false),
    new Field("vector", vector, false),
  ];
  const metadata = new Map([
    ["lodestore:format", FORMAT],
    ["lodestore:model", table.modelId],
    ["lodestore:metric", table.metric],
  ]);
  return new Schema(fields, metadata);
}

/** Checks that a table in the folder is the one that the database knows.
 *  @throws StorageError SCHEMA_TOO_NEW, BAD_FORMAT */
export function checkSchema(schema: ArrowSchema, table: VectorTable, operation: string): void {
  const format = schema.metadata.get("lodestore:format");
  const context = { capability: "vectors", operation } as const;
  if (format !== undefined && Number(format) > Number(FORMAT)) {
    const message = `the Lance table "${table.tableName}" has format ${format}, this version of the store reads up to ${FORMAT}`;
    throw new StorageError("SCHEMA_TOO_NEW", message, context);
  }
  const model = schema.metadata.get("lodestore:model");
  const metric = schema.metadata.get("lodestore:metric");
  if (format === FORMAT && model === table.modelId && metric === table.metric) return;
  const found =
    format === undefined ? "is not one of the store's" : `holds vectors of ${JSON.stringify(model)} by ${metric}`;
  const message = `the Lance table "${table.tableName}" ${found}: it should hold those of ${JSON.stringify(table.modelId)} by ${table.metric}`;
  throw new StorageError("BAD_FORMAT", message, context);
}

/** Records as rows of Arrow. @param keys Key of each chunk. */
export function lanceRows(
  arrow: ArrowModule,
  table: VectorTable,
  records: readonly VectorRecord[],
  keys: ReadonlyMap<string, number>,
): unknown {
  const { Int64, RecordBatch, Struct, Table, TimestampMillisecond, Utf8 } = arrow;
  const schema = lanceSchema(arrow, table);
  const length = records.length;
  const texts = (values: readonly string[]): unknown => arrow.vectorFromArray(values, new Utf8()).data[0];
  const integers = (type: unknown, of: (record: VectorRecord) => number): unknown =>
    arrow.makeData({ type, length, nullCount: 0, data: BigInt64Array.from(records, (record) => BigInt(of(record))) });
  const now = Date.now();
  const columns = [
    texts(records.map(({ chunkId }) => chunkId)),
    texts(records.map(({ modelVersion }) => modelVersion)),
    texts(records.map(({ embeddingId }) => embeddingId)),
    texts(records.map(({ documentId }) => documentId)),
    integers(new Int64(), ({ chunkId }) => keys.get(chunkId) as number),
    texts(records.map(() => table.modelId)),
    integers(new TimestampMillisecond(), () => now),
    vectorColumn(arrow, table, records),
  ];
  const data = arrow.makeData({ type: new Struct(schema.fields), length, nullCount: 0, children: columns });
  return new Table(schema, [new RecordBatch(schema, data)]);
}

function vectorColumn(
  arrow: ArrowModule,
  { dimensions, metric }: VectorTable,
  records: readonly VectorRecord[],
): unknown {
  const values = new Float32Array(records.length * dimensions);
  for (const [at, { vector }] of records.entries()) {
    values.set(metric === "cosine" ? unitVector(vector) : vector, at * dimensions);
  }
  const items = arrow.makeData({ type: new arrow.Float32(), length: values.length, nullCount: 0, data: values });
  const type = new arrow.FixedSizeList(dimensions, new arrow.Field("item", new arrow.Float32(), true));
  return arrow.makeData({ type, length: records.length, nullCount: 0, child: items });
}

/** A vector of length 1 in the same direction. */
export function unitVector(vector: Float32Array): Float32Array {
  let square = 0;
  for (let at = 0; at < vector.length; at++) square += (vector[at] as number) ** 2;
  const length = Math.sqrt(square);
  return vector.map((value) => value / length);
}

/** Score of a distance that Lance computed from a query that was scaled by `scale`: the square of the Euclidean distance, also where the
 *  cosine of unit vectors is asked for, or 1 less the dot product. */
export function scoreOf(metric: VectorMetric, distance: number, scale: number): number {
  switch (metric) {
    case "cosine":
      return Math.max(-1, Math.min(1, 1 - distance / 2));
    case "dot":
      // From 2^25 on the 1 is lost in the rounding of a 32-bit float.
      return (Math.abs(distance) >= 2 ** 25 ? -distance : 1 - distance) / scale;
    case "l2":
      return -Math.sqrt(Math.max(0, distance));
  }
}

/** The query as Lance gets it. That of a dot product is scaled to about 2^40: what is subtracted from 1 would lose the digits of small
 *  products. */
export function scaledQuery(metric: VectorMetric, vector: Float32Array): { vector: Float32Array; scale: number } {
  if (metric === "cosine") return { vector: unitVector(vector), scale: 1 };
  if (metric === "l2") return { vector, scale: 1 };
  let largest = 0;
  for (let at = 0; at < vector.length; at++) largest = Math.max(largest, Math.abs(vector[at] as number));
  if (largest === 0) return { vector, scale: 1 };
  const scale = 2 ** (40 - Math.ceil(Math.log2(largest)));
  return { vector: vector.map((value) => value * scale), scale };
}
