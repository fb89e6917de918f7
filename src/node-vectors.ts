import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { BlobStore } from "./contracts/blobs.ts";
import type { SqlDatabase } from "./contracts/sql.ts";
import type { VectorKeeper, VectorUpkeep } from "./contracts/vector-upkeep.ts";
import { type CallSite, invalidInput, isPlainObject, refusal, requireOneOf } from "./contracts/validate.ts";
import { FsBlobStore, openFsBlobs } from "./drivers/blobs-fs.ts";
import { FlatVectorStore } from "./drivers/vectors-flat.ts";
import { HnswVectorStore } from "./drivers/vectors-hnsw.ts";
import { checkVectorSettings, type VectorSettings } from "./drivers/vectors/index-policy.ts";
import type { AllowedChunks } from "./store/allowed-chunks.ts";
import { indexId } from "./store/ids.ts";
import type { SearchActivity } from "./turns.ts";

const ENGINES = ["auto", "hnsw", "flat"] as const;

/** What finds the nearest vectors: a graph (`hnsw`), or the comparison of all (`flat`). `auto` is `hnsw`. */
export type VectorEngine = (typeof ENGINES)[number];

/** An engine, or its settings with or without its name. */
export type VectorOptions = VectorEngine | ({ engine?: VectorEngine } & VectorSettings);

/** An engine with its settings. */
export interface VectorChoice {
  engine: VectorEngine;
  settings: VectorSettings;
}

/** What an engine works with. */
export interface VectorParts {
  db: SqlDatabase;
  /** Folder of the store. */
  dir: string;
  activity: SearchActivity;
  filters: AllowedChunks;
  /** Writes for the indexes where `db` only reads; `none`: nobody does. */
  upkeep?: VectorUpkeep | "none";
  /** Keeps the indexes, where another thread does. */
  keeper?: VectorKeeper;
}

/** Settings that only a graph has. */
const OF_GRAPHS = ["graphAbove", "m", "efConstruction"];

/** Checks the option `vectors`.
 *  @throws StorageError INVALID_INPUT */
export function checkVectorOptions(site: CallSite, given: unknown): VectorChoice {
  if (typeof given === "string") return { engine: requireOneOf(site, "vectors", given, ENGINES), settings: {} };
  if (given !== undefined && !isPlainObject(given)) {
    throw invalidInput(site, "vectors", given, `${ENGINES.map((name) => `"${name}"`).join(", ")} or an object`);
  }
  const { engine: named = "auto", ...rest } = given ?? {};
  const engine = requireOneOf({ ...site, within: "vectors" }, "engine", named, ENGINES);
  const settings = checkVectorSettings(site, rest);
  const idle = OF_GRAPHS.find((name) => engine === "flat" && name in settings);
  if (idle !== undefined) throw refusal(site, `vectors.${idle} is about a graph, and the engine "flat" has none`);
  return { engine, settings };
}

/** Makes the vector store that was chosen. The one place that knows every engine of Node. */
export async function chooseVectors(
  { engine, settings }: VectorChoice,
  { db, dir, activity, filters, upkeep, keeper }: VectorParts,
): Promise<HnswVectorStore | FlatVectorStore> {
  const shared = {
    ...settings,
    kernel: await WebAssembly.compile(await readFile(new URL("../wasm/hnsw.wasm", import.meta.url))),
    allowedChunks: filters.matching,
    indexId,
    activity,
    ...(upkeep === undefined ? {} : { upkeep }),
    ...(keeper === undefined ? {} : { keeper }),
  };
  if (engine === "flat") return new FlatVectorStore(db, shared);
  const snapshots = keeper === undefined ? await snapshotsIn(join(dir, "blobs"), upkeep === "none") : undefined;
  return new HnswVectorStore(db, { ...shared, ...(snapshots === undefined ? {} : { snapshots }) });
}

/** Who only reads makes no folder, and sweeps none. */
async function snapshotsIn(dir: string, readOnly: boolean): Promise<BlobStore | undefined> {
  if (!readOnly) return openFsBlobs({ dir });
  const found = await stat(dir).catch(() => undefined);
  return found?.isDirectory() === true ? new FsBlobStore(dir) : undefined;
}
