import { createRequire } from "node:module";
import { StorageError } from "../../errors.ts";

// What is used of `@lancedb/lancedb` 0.31 and `apache-arrow` 18: the types of neither package are needed to check this one.

/** What is used of `@lancedb/lancedb`. */
export interface LanceModule {
  connect(uri: string): Promise<LanceConnection>;
  Index: { ivfFlat(options: { distanceType: LanceDistance; numPartitions: number }): unknown };
}

export type LanceDistance = "dot" | "l2";

export interface LanceConnection {
  openTable(name: string): Promise<LanceTable>;
  createEmptyTable(name: string, schema: unknown, options?: { mode?: "create" }): Promise<LanceTable>;
  dropTable(name: string): Promise<void>;
  close(): void;
}

export interface LanceTable {
  close(): void;
  schema(): Promise<ArrowSchema>;
  version(): Promise<number>;
  checkoutLatest(): Promise<void>;
  stats(): Promise<{ fragmentStats: { numFragments: number } }>;
  countRows(filter?: string): Promise<number>;
  delete(predicate: string): Promise<{ numDeletedRows: number }>;
  mergeInsert(on: string | string[]): LanceMergeInsert;
  query(): LanceQuery;
  createIndex(column: string, options: { config: unknown; replace?: boolean }): Promise<void>;
  listIndices(): Promise<LanceIndex[]>;
  optimize(options: { cleanupOlderThan: Date; deleteUnverified: boolean }): Promise<unknown>;
}

export interface LanceIndex {
  columns: string[];
  numIndexedRows?: number;
  numUnindexedRows?: number;
  sizeBytes?: number;
}

export interface LanceMergeInsert {
  whenMatchedUpdateAll(): LanceMergeInsert;
  whenNotMatchedInsertAll(): LanceMergeInsert;
  execute(data: unknown): Promise<unknown>;
}

interface LanceReading {
  where(condition: string): this;
  select(columns: string[]): this;
  limit(limit: number): this;
  toArrow(): Promise<ArrowTable>;
  [Symbol.asyncIterator](): AsyncIterator<ArrowTable>;
}

export interface LanceQuery extends LanceReading {
  nearestTo(vector: Float32Array): LanceVectorQuery;
}

export interface LanceVectorQuery extends LanceReading {
  column(name: string): this;
  distanceType(type: LanceDistance): this;
  nprobes(count: number): this;
  bypassVectorIndex(): this;
}

/** What is used of `apache-arrow`. */
export interface ArrowModule {
  Schema: new (fields: readonly unknown[], metadata?: Map<string, string>) => ArrowSchema;
  Field: new (name: string, type: unknown, nullable: boolean, metadata?: Map<string, string>) => ArrowField;
  Utf8: new () => unknown;
  Int64: new () => unknown;
  Float32: new () => unknown;
  TimestampMillisecond: new () => unknown;
  FixedSizeList: new (length: number, child: unknown) => unknown;
  Struct: new (fields: readonly unknown[]) => unknown;
  makeData(parts: Record<string, unknown>): unknown;
  vectorFromArray(values: readonly unknown[], type: unknown): { data: readonly unknown[] };
  RecordBatch: new (schema: unknown, data: unknown) => unknown;
  Table: new (schema: unknown, batches: readonly unknown[]) => ArrowTable;
}

export interface ArrowField {
  name: string;
  nullable: boolean;
}

export interface ArrowSchema {
  fields: ArrowField[];
  metadata: Map<string, string>;
}

/** A table, or a batch of one. */
export interface ArrowTable {
  numRows: number;
  getChild(name: string): ArrowColumn | null;
}

export interface ArrowColumn {
  get(index: number): unknown;
}

/** Both packages, loaded. */
export interface LanceModules {
  lance: LanceModule;
  arrow: ArrowModule;
}

const LANCE: string = "@lancedb/lancedb";
const ARROW: string = "apache-arrow";
/** The versions that this driver is written and tested for. */
const INSTALL = `npm install ${LANCE}@0.31.0 ${ARROW}@18.1.0`;
const here = createRequire(import.meta.url);
const OPEN = { capability: "vectors", operation: "open" } as const;

/** Returns the optional packages.
 *  @throws StorageError UNSUPPORTED (not installed, or not for this platform), DRIVER (what was loaded is not what it is named) */
export async function loadLance(): Promise<LanceModules> {
  const lance = await load(LANCE, () => import(/* @vite-ignore */ /* webpackIgnore: true */ LANCE));
  // The copy that Lance itself uses: it takes no table of another.
  const arrow = await load(ARROW, async () => createRequire(here.resolve(LANCE))(ARROW) as unknown);
  if (!has(lance, "connect", "Index")) throw stranger(LANCE);
  if (!has(arrow, "Schema", "makeData", "Table")) throw stranger(ARROW);
  return { lance: lance as unknown as LanceModule, arrow: arrow as unknown as ArrowModule };
}

/** Names are variables above: a bundler would fail the build of every app that has not installed the optional packages. */
async function load(name: string, from: () => Promise<unknown>): Promise<unknown> {
  try {
    return await from();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError(
      "UNSUPPORTED",
      `vectors in Lance tables need the package ${name}, which cannot be loaded: ${reason}. Run "${INSTALL}"`,
      { ...OPEN, cause },
    );
  }
}

function has(module: unknown, ...names: string[]): module is Record<string, unknown> {
  return typeof module === "object" && module !== null && names.every((name) => name in module);
}

function stranger(name: string): StorageError {
  return new StorageError("DRIVER", `what was loaded as ${name} is not that package: its exports are others`, OPEN);
}
