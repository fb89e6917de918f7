import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Embedder, openStore, type OpenNodeStoreOptions, type Store, StorageError } from "../node.ts";
import { CommandError } from "./command-error.ts";
import { embedderFor } from "./embedder-option.ts";
import { EXIT } from "./exit-code.ts";
import type { Arguments } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { vectorsFor, type VectorEngineName } from "./vectors-option.ts";

/** File that makes a folder a store. */
const DATABASE = "lodestore.db";

/** How a store is opened. */
export interface Opening {
  embedder: Embedder | undefined;
  /** What keeps its vectors; undefined where nobody said. */
  vectors: VectorEngineName | undefined;
}

/** Returns the folder of the store: `--db`, else `LODESTORE_DB`, else `./.lodestore`. */
export function storeFolder(args: Arguments, terminal: Terminal): string {
  const fromEnv = terminal.env["LODESTORE_DB"];
  return args.text("db") ?? (fromEnv === undefined || fromEnv === "" ? ".lodestore" : fromEnv);
}

/** Reads how a store is to be opened: `--embedder` and `--vectors`.
 *  @throws CommandError (usage) */
export async function openingFrom(args: Arguments, terminal: Terminal): Promise<Opening> {
  const vectors = vectorsFor(args, terminal);
  return { vectors, embedder: await embedderFor(args, terminal) };
}

/** Opens the store that is there for writing, as was asked for.
 *  @throws CommandError NOT_FOUND, INVALID_INPUT (`--embedder`, `--vectors`)
 *  @throws StorageError what `openStore` throws */
export async function openExistingStore(args: Arguments, terminal: Terminal): Promise<Store> {
  return openOrCreateStore(existingFolder(args, terminal), await openingFrom(args, terminal));
}

/** Opens the store that is there for reading only, so that a program which has it open is no hindrance. One that has to be brought up to
 *  date, or repaired, before it can be read is opened for writing.
 *  @throws as {@link openExistingStore} */
export async function openStoreToRead(args: Arguments, terminal: Terminal): Promise<Store> {
  const folder = existingFolder(args, terminal);
  try {
    return await open(folder, await openingFrom(args, terminal), { readOnly: true, readers: 1 });
  } catch (error) {
    if (!isBehind(error)) throw error;
    return openOrCreateStore(folder, await openingFrom(args, terminal));
  }
}

/** Whether schema or text index would have to be written first. */
function isBehind(error: unknown): boolean {
  if (!(error instanceof StorageError) || error.code !== "UNSUPPORTED") return false;
  return error.capability === "migrations" || error.capability === "search";
}

/** Opens the store in a folder; makes it when there is none. Nothing is embedded before a command asks for it. */
export function openOrCreateStore(folder: string, opening: Opening): Promise<Store> {
  return open(folder, opening, { readers: 0 });
}

/** A command that works on a store that is there makes none. */
function existingFolder(args: Arguments, terminal: Terminal): string {
  // What is typed wrong is told first.
  vectorsFor(args, terminal);
  const folder = storeFolder(args, terminal);
  if (existsSync(join(folder, DATABASE))) return folder;
  throw new CommandError(`there is no store in ${resolve(folder)}`, {
    code: "NOT_FOUND",
    operation: args.command,
    exitCode: EXIT.store,
    hint: "Make one: lodestore ingest <folder>. Or say where it is: --db <dir>",
  });
}

async function open(
  folder: string,
  { embedder, vectors }: Opening,
  options: Pick<OpenNodeStoreOptions, "readOnly" | "readers">,
): Promise<Store> {
  try {
    return await openStore({
      dir: folder,
      embedOnOpen: false,
      ...options,
      ...(vectors === undefined ? {} : { vectors }),
      ...(embedder === undefined ? {} : { embedder }),
    });
  } catch (cause) {
    // NOT_FOUND: the file is there, and yet it cannot be opened.
    if (cause instanceof StorageError && cause.code !== "NOT_FOUND") throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError("DRIVER", `cannot open the store in ${resolve(folder)}: ${reason}`, {
      capability: "store",
      operation: "openStore",
      cause,
    });
  }
}
