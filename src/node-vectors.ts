import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { BlobStore } from "./contracts/blobs.ts";
import type { SqlDatabase } from "./contracts/sql.ts";
import type { VectorKeeper, VectorUpkeep } from "./contracts/vector-upkeep.ts";
import { FsBlobStore, openFsBlobs } from "./drivers/blobs-fs.ts";
import { FlatVectorStore } from "./drivers/vectors-flat.ts";
import { HnswVectorStore } from "./drivers/vectors-hnsw.ts";
import { type LanceVectorStore, openLanceVectors } from "./drivers/vectors-lance.ts";
import { StorageError } from "./errors.ts";
import type { VectorChoice, VectorEngine } from "./node-vector-options.ts";
import type { AllowedChunks } from "./store/allowed-chunks.ts";
import { keptVectorEngine, type OpenVectors } from "./store/embeddings/adopt-vectors.ts";
import { indexId } from "./store/ids.ts";
import type { SearchActivity } from "./turns.ts";

/** What an engine works with. */
export interface VectorParts {
  db: SqlDatabase;
  /** Folder of the store. */
  dir: string;
  activity: SearchActivity;
  filters: AllowedChunks;
  /** Whether this connection does not write. */
  readOnly: boolean;
  /** Whether vectors stay where they are, whatever was chosen: nobody may copy them. */
  stay: boolean;
  /** Writes for the indexes where `db` only reads; `none`: nobody does. */
  upkeep?: VectorUpkeep | "none";
  /** Keeps the indexes, where another thread does. */
  keeper?: VectorKeeper;
}

/** The vector store of a thread. */
export interface ChosenVectors {
  engine: Exclude<VectorEngine, "auto">;
  vectors: LanceVectorStore | HnswVectorStore | FlatVectorStore;
  /** Opens what kept the vectors before. */
  before: OpenVectors;
  /** Why `auto` is not Lance. */
  fallback?: string;
}

/** Makes the vector store that was chosen. The one place that knows every engine of Node.
 *  @throws StorageError UNSUPPORTED `lance` was chosen, and its packages cannot be loaded */
export async function chooseVectors(choice: VectorChoice, parts: VectorParts): Promise<ChosenVectors> {
  const before: OpenVectors = (engine) => openBefore(engine, parts);
  const elsewhere = parts.stay && choice.engine !== "auto" ? await keptVectorEngine(parts.db) : undefined;
  if (elsewhere !== undefined && (elsewhere === "sql") === (choice.engine === "lance")) {
    const fallback = `opened for reading only, vectors stay where they are: ${elsewhere === "sql" ? "in the database" : "in Lance tables"}`;
    const vectors = await openBefore(elsewhere, parts);
    if (vectors !== undefined) return { engine: elsewhere === "sql" ? "hnsw" : "lance", vectors, before, fallback };
  }
  if (choice.engine === "flat" || choice.engine === "hnsw") {
    return { engine: choice.engine, vectors: await inMemory(choice.engine, choice, parts), before };
  }
  if (choice.engine === "lance") return { engine: "lance", vectors: await inLance(choice, parts), before };
  const fallback = await whyNotLance(choice, parts);
  if (typeof fallback !== "string") return { engine: "lance", vectors: fallback, before };
  return { engine: "hnsw", vectors: await inMemory("hnsw", choice, parts), before, fallback };
}

/** Opens Lance where `auto` does, or says why not. */
async function whyNotLance(choice: VectorChoice, parts: VectorParts): Promise<LanceVectorStore | string> {
  const kept = await keptVectorEngine(parts.db);
  if (kept === "sql") return 'the store has its vectors in its database; vectors: "lance" moves them';
  try {
    return await inLance(choice, parts);
  } catch (error) {
    if (error instanceof StorageError && error.code === "UNSUPPORTED") return error.message;
    throw error;
  }
}

function inLance({ lance }: VectorChoice, { db, dir, activity, filters, readOnly }: VectorParts) {
  const allowedChunks = filters.matching;
  return openLanceVectors(db, { ...lance, dir: join(dir, "vectors"), allowedChunks, indexId, activity, readOnly });
}

async function inMemory(
  engine: "hnsw" | "flat",
  { settings }: Pick<VectorChoice, "settings">,
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

async function openBefore(engine: string, parts: VectorParts): Promise<ChosenVectors["vectors"] | undefined> {
  const { keeper: _, ...alone } = parts;
  if (engine === "sql") return inMemory("hnsw", { settings: {} }, alone);
  try {
    return await inLance({ engine: "lance", settings: {}, lance: {} }, parts);
  } catch (error) {
    // Without the packages its vectors cannot be read: they are made anew.
    if (error instanceof StorageError && error.code === "UNSUPPORTED") return undefined;
    throw error;
  }
}

/** Who only reads makes no folder, and sweeps none. */
async function snapshotsIn(dir: string, readOnly: boolean): Promise<BlobStore | undefined> {
  if (!readOnly) return openFsBlobs({ dir });
  const found = await stat(dir).catch(() => undefined);
  return found?.isDirectory() === true ? new FsBlobStore(dir) : undefined;
}
