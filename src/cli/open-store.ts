import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Embedder, openStore, type Store, StorageError } from "../node.ts";
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

/** Opens the store that is there, as was asked for; a command that reads makes none.
 *  @throws CommandError NOT_FOUND, INVALID_INPUT (`--embedder`, `--vectors`)
 *  @throws StorageError what `openStore` throws */
export async function openExistingStore(args: Arguments, terminal: Terminal): Promise<Store> {
  const folder = storeFolder(args, terminal);
  // What is typed wrong is told first.
  vectorsFor(args, terminal);
  if (!existsSync(join(folder, DATABASE))) {
    throw new CommandError(`there is no store in ${resolve(folder)}`, {
      code: "NOT_FOUND",
      operation: args.command,
      exitCode: EXIT.store,
      hint: "Make one: lodestore ingest <folder>. Or say where it is: --db <dir>",
    });
  }
  return openOrCreateStore(folder, await openingFrom(args, terminal));
}

/** Opens the store in a folder; makes it when there is none. Nothing is embedded before a command asks for it. */
export async function openOrCreateStore(folder: string, { embedder }: Opening): Promise<Store> {
  try {
    return await openStore({ dir: folder, embedOnOpen: false, ...(embedder === undefined ? {} : { embedder }) });
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
