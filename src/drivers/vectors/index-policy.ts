import { type CallSite, named, requireInteger, requireObject, requireOneOf } from "../../contracts/validate.ts";
import type { VectorMetric } from "../../contracts/vectors.ts";
import { VECTOR_ENCODINGS, type VectorEncoding } from "../../formats/stored-vector.ts";
import type { Quantization, VectorIndexOptions } from "./vector-index-options.ts";
import { VectorIndex } from "./vector-index.ts";

/** Seed of the levels: equal rows in equal order make equal graphs. */
const SEED = 1;

/** How indexes are made and kept. `m` and `efConstruction` hold for indexes that are made from now on; a snapshot brings its own. */
export interface VectorSettings {
  /** Vectors above which a graph is made, from 0; below it every vector is compared, which is exact. 10,000 by default. */
  graphAbove?: number;
  /** Links of a node above layer 0, 4 to 64; 16 by default. */
  m?: number;
  /** Width of the walk that finds a node's neighbours, 8 to 4096; 176 by default. */
  efConstruction?: number;
  /** `auto` (default): 8-bit codes, or 32-bit floats where a sample shows that codes would lose too much. */
  quantization?: Quantization | "auto";
  /** Bytes of full-precision vectors that an index keeps in memory; beyond it they are read from the database. 512 MiB by default. Looked
   *  at when an index is opened or made: one that grows beyond it keeps them until then. */
  residentBytes?: number;
  /** Most memory of one index, in bytes, 1 MiB to 4 GiB; 4 GiB by default. */
  maxMemoryBytes?: number;
  /** How the database keeps vectors, in tables that are made from now on. `i16` (default): 16-bit integers, in half the space, exact to
   *  1 part in 65,534 of a vector's largest value; `f32`: 32-bit floats, exactly as they were put. */
  storedAs?: VectorEncoding;
}

const SETTINGS = ["graphAbove", "m", "efConstruction", "quantization", "residentBytes", "maxMemoryBytes", "storedAs"];

/** Checks settings from outside; an unknown one is refused by name.
 *  @throws StorageError INVALID_INPUT */
export function checkVectorSettings(site: CallSite, settings: unknown): VectorSettings {
  const given = requireObject(site, "vectors", settings ?? {}, SETTINGS);
  const within = { ...site, within: named(site, "vectors") };
  const { quantization, storedAs } = given;
  const integer = (field: string, least: number, most: number): Record<string, number> =>
    given[field] === undefined ? {} : { [field]: requireInteger(within, field, given[field], least, most) };
  return {
    ...integer("graphAbove", 0, Number.MAX_SAFE_INTEGER),
    ...integer("m", 4, 64),
    ...integer("efConstruction", 8, 4096),
    ...integer("residentBytes", 0, Number.MAX_SAFE_INTEGER),
    ...integer("maxMemoryBytes", 2 ** 20, 2 ** 32),
    ...(quantization === undefined
      ? {}
      : { quantization: requireOneOf(within, "quantization", quantization, ["auto", "sq8", "f32"] as const) }),
    ...(storedAs === undefined ? {} : { storedAs: requireOneOf(within, "storedAs", storedAs, VECTOR_ENCODINGS) }),
  };
}

/** The settings, and the compiled kernel, `wasm/hnsw.wasm`. */
export interface VectorIndexPolicyOptions extends VectorSettings {
  kernel: WebAssembly.Module;
}

/** What makes an index and says what it needs. */
export class IndexPolicy {
  readonly kernel: WebAssembly.Module;
  readonly graphAbove: number;
  readonly quantization: Quantization | "auto";
  readonly maxMemoryBytes: number;
  readonly storedAs: VectorEncoding;
  readonly #m: number;
  readonly #efConstruction: number;
  readonly #residentBytes: number;

  constructor(options: VectorIndexPolicyOptions) {
    this.kernel = options.kernel;
    this.graphAbove = options.graphAbove ?? 10_000;
    this.quantization = options.quantization ?? "auto";
    this.maxMemoryBytes = options.maxMemoryBytes ?? 2 ** 32;
    this.storedAs = options.storedAs ?? "i16";
    this.#m = options.m ?? 16;
    this.#efConstruction = options.efConstruction ?? 176;
    this.#residentBytes = options.residentBytes ?? 512 * 1024 * 1024;
  }

  /** Whether an index of this size keeps full-precision vectors. */
  resident(dimensions: number, count: number): boolean {
    return dimensions * 4 * count <= this.#residentBytes;
  }

  /** Options of an index for so many vectors; `written` are those of the snapshot it comes from. */
  optionsOf(
    table: { dimensions: number; metric: VectorMetric },
    quantization: Quantization,
    count: number,
    written: { m: number; efConstruction: number; seed: number } = {
      m: this.#m,
      efConstruction: this.#efConstruction,
      seed: SEED,
    },
  ): VectorIndexOptions {
    return {
      dimensions: table.dimensions,
      metric: table.metric,
      quantization,
      m: written.m,
      efConstruction: written.efConstruction,
      seed: written.seed,
      resident: this.resident(table.dimensions, count),
      maxMemoryBytes: this.maxMemoryBytes,
    };
  }

  /** An empty index with room for `capacity` vectors. */
  createIndex(
    table: { dimensions: number; metric: VectorMetric },
    quantization: Quantization,
    capacity: number,
  ): VectorIndex {
    const index = new VectorIndex(this.kernel, this.optionsOf(table, quantization, capacity));
    index.reserve(capacity);
    return index;
  }

  /** Whether the index should have a graph: once it has one it keeps it. */
  wantsGraph(index: VectorIndex): boolean {
    return index.count > this.graphAbove || index.count > index.pendingCount;
  }

  /** Whether so much has changed that opening would take noticeably longer without a new snapshot. */
  snapshotDue(changes: number, count: number, closing: boolean): boolean {
    return closing ? changes >= 256 : changes >= Math.max(2048, count / 4);
  }
}
