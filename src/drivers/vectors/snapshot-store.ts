import type { BlobStore } from "../../contracts/blobs.ts";
import { StorageError } from "../../errors.ts";
import { checksumOf, decodeEnvelope, encodeEnvelope, snapshotKind, verifyGraph } from "../../formats/lhv1-envelope.ts";
import { readLhv1, writeLhv1 } from "../../formats/lhv1.ts";
import type { SnapshotEnvelope } from "../../formats/snapshot-envelope.ts";
import { readGraphSection, writeGraphSection } from "./graph-section.ts";
import type { IndexPolicy } from "./index-policy.ts";
import { nextTurn } from "../../turns.ts";
import { VectorIndex } from "./vector-index.ts";
import type { KnownTable } from "./vector-tables.ts";

/** A snapshot that is stored. */
export interface StoredSnapshot {
  /** Last change that it holds. */
  revision: number;
  /** Milliseconds since 1970. */
  createdAt: number;
  sizeBytes: number;
}

/** What reading a snapshot gave. */
export interface ReadSnapshot {
  /** The index and the snapshot it came from, where there was one that verifies. */
  found: { index: VectorIndex; stored: StoredSnapshot } | undefined;
  /** Why there is no index, or `null`. */
  passedOver: string | null;
}

/** What is found of a snapshot that is not opened. */
export interface ExaminedSnapshot {
  sizeBytes: number;
  /** Absent where it cannot be read. */
  envelope: SnapshotEnvelope | undefined;
  /** What is wrong with it, or `null`. */
  problem: string | null;
}

const NOT_OURS = "the snapshot is not ours";
const FOLDER = "_vectors/";
const EXTENSION = ".lhv1";

/** Codes of what may be wrong with a snapshot, too much memory that it asks for included: it is passed over, and the index made from
 *  the rows. */
const DAMAGED: ReadonlySet<string> = new Set([
  "BAD_FORMAT",
  "CORRUPT",
  "SCHEMA_TOO_NEW",
  "UNSUPPORTED",
  "QUOTA_EXCEEDED",
]);

/** Snapshots of indexes as LHV1 files, one blob a generation: derived data, which may go at any moment. */
export class SnapshotStore {
  readonly #blobs: BlobStore;

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  /** Reads the snapshot of a generation and makes an index of it. What is wrong with it is an answer, not an error, and so is a
   *  file that cannot be read: nothing is lost without it.
   *  @throws StorageError CLOSED, DRIVER (the kernel) */
  async read(
    table: KnownTable,
    modelVersion: string,
    generationKey: number,
    policy: IndexPolicy,
  ): Promise<ReadSnapshot> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#blobs.get(keyOf(table, generationKey));
    } catch (error) {
      if (!(error instanceof StorageError) || error.code === "CLOSED") throw error;
      if (error.code === "NOT_FOUND") return { found: undefined, passedOver: "there is no snapshot yet" };
      return { found: undefined, passedOver: `the snapshot cannot be read: ${error.message}` };
    }
    try {
      const ours = takeApart(bytes, table, modelVersion, generationKey);
      if (ours === undefined) return { found: undefined, passedOver: NOT_OURS };
      const { decoded, graph } = ours;
      const options = policy.optionsOf(table, decoded.quantization, decoded.count, decoded.parameters);
      const index = new VectorIndex(policy.kernel, options);
      verifyGraph(decoded, graph, (content) => index.checksum(content));
      readGraphSection(graph, index);
      if (index.count !== decoded.count) {
        throw damaged("CORRUPT", `count of the snapshot is ${decoded.count}, but its graph has ${index.count} vectors`);
      }
      if (policy.quantization !== "auto" && policy.quantization !== decoded.quantization) {
        const wanted = `its vectors are ${decoded.quantization}, and the setting says ${policy.quantization}`;
        return { found: undefined, passedOver: wanted };
      }
      const { revision, createdAt } = decoded;
      return { found: { index, stored: { revision, createdAt, sizeBytes: bytes.length } }, passedOver: null };
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      if (DAMAGED.has(error.code)) return { found: undefined, passedOver: `${error.code}: ${error.message}` };
      throw error;
    }
  }

  /** Looks at the snapshot of a generation without making an index of it.
   *  @param hash64 XXH64 of bytes, seed 0.
   *  @returns what it says of itself, as far as it can be read; undefined where there is none.
   *  @throws StorageError CLOSED */
  async examine(
    table: KnownTable,
    modelVersion: string,
    generationKey: number,
    hash64: (graph: Uint8Array) => bigint,
  ): Promise<ExaminedSnapshot | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#blobs.get(keyOf(table, generationKey));
    } catch (error) {
      if (!(error instanceof StorageError) || error.code === "CLOSED") throw error;
      if (error.code === "NOT_FOUND") return undefined;
      return { sizeBytes: 0, envelope: undefined, problem: `it cannot be read: ${error.message}` };
    }
    const sizeBytes = bytes.length;
    let envelope: SnapshotEnvelope | undefined;
    try {
      const ours = takeApart(bytes, table, modelVersion, generationKey);
      if (ours === undefined) return { sizeBytes, envelope, problem: NOT_OURS };
      envelope = ours.decoded;
      verifyGraph(envelope, ours.graph, hash64);
      return { sizeBytes, envelope, problem: null };
    } catch (error) {
      if (!(error instanceof StorageError) || !DAMAGED.has(error.code)) throw error;
      return { sizeBytes, envelope, problem: `${error.code}: ${error.message}` };
    }
  }

  /** Writes a snapshot of the index as it stands at `revision`; returns `null` where the index changes meanwhile.
   *  @param createdAt Milliseconds since 1970.
   *  @returns what was stored, and labels that no walk reaches */
  async write(
    table: KnownTable,
    modelVersion: string,
    generationKey: number,
    index: VectorIndex,
    revision: number,
    createdAt: number,
  ): Promise<{ stored: StoredSnapshot; cutOff: readonly number[] } | null> {
    const { changes } = index;
    const steps = writeGraphSection(index);
    let step = steps.next();
    while (step.done !== true) {
      await nextTurn();
      if (index.changes !== changes) return null;
      step = steps.next();
    }
    const { section: graph, cutOff } = step.value;
    const { dimensions, metric, quantization, m, efConstruction, seed } = index.options;
    const envelope = encodeEnvelope({
      name: nameOf(table, generationKey),
      modelId: table.modelId,
      modelVersion,
      dimensions,
      metric,
      quantization,
      parameters: { m, efConstruction, seed },
      count: index.count,
      revision,
      createdAt,
      graph: { encoding: "hnsw-1", byteLength: graph.length, checksum: checksumOf(index.checksum(graph)) },
    });
    const bytes = writeLhv1(envelope, [graph]);
    await this.#blobs.put(keyOf(table, generationKey), bytes);
    return { stored: { revision, createdAt, sizeBytes: bytes.length }, cutOff };
  }

  /** Deletes the snapshots of a table's generations that are gone.
   *  @param living Keys of those that are there. */
  async deleteAllBut(table: KnownTable, living: readonly number[]): Promise<void> {
    const kept = new Set(living.map((key) => keyOf(table, key)));
    const keys = await this.#blobs.list(`${FOLDER}${table.tableName}.`);
    for (const key of keys) if (!kept.has(key) && isSnapshotOf(table, key)) await this.#blobs.delete(key);
  }
}

/** Takes a snapshot apart; what another program wrote is undefined.
 *  @throws StorageError what is wrong with it, as far as that is seen without looking at the graph */
function takeApart(
  bytes: Uint8Array,
  table: KnownTable,
  modelVersion: string,
  generationKey: number,
): { decoded: SnapshotEnvelope; graph: Uint8Array } | undefined {
  const { envelope, graph } = readLhv1(bytes);
  if (snapshotKind(envelope) === "foreign") return undefined;
  const decoded = decodeEnvelope(envelope);
  requireSame(decoded, table, modelVersion, generationKey);
  requireKernelM(decoded.parameters.m);
  return { decoded, graph };
}

function requireSame(envelope: SnapshotEnvelope, table: KnownTable, modelVersion: string, generationKey: number): void {
  const expect = (field: string, got: unknown, wanted: unknown): void => {
    if (got === wanted) return;
    throw damaged("BAD_FORMAT", `${field} of the snapshot is ${String(got)}, not ${String(wanted)}`);
  };
  expect("name", envelope.name, nameOf(table, generationKey));
  expect("modelId", envelope.modelId, table.modelId);
  expect("modelVersion", envelope.modelVersion, modelVersion);
  expect("dimensions", envelope.dimensions, table.dimensions);
  expect("metric", envelope.metric, table.metric);
}

/** The envelope takes what other writers may use; the kernel has no room for every number of links, and an index with none never gets
 *  a graph. */
function requireKernelM(m: number): void {
  if (m >= 4 && m <= 64) return;
  throw damaged("BAD_FORMAT", `parameters.m of the snapshot is ${m}; it takes 4 to 64`);
}

function damaged(code: "BAD_FORMAT" | "CORRUPT", message: string): StorageError {
  return new StorageError(code, message, { capability: "vectors", operation: "open" });
}

function nameOf(table: KnownTable, generationKey: number): string {
  return `${table.tableName}.${generationKey}`;
}

function keyOf(table: KnownTable, generationKey: number): string {
  return `${FOLDER}${nameOf(table, generationKey)}${EXTENSION}`;
}

/** Names of models have points, too: what begins like this table's snapshots may be another's. */
function isSnapshotOf(table: KnownTable, key: string): boolean {
  return /^\d+$/u.test(key.slice(FOLDER.length + table.tableName.length + 1, -EXTENSION.length));
}
