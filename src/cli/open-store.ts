import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Embedder, openStore, type OpenNodeStoreOptions, type Store, StorageError } from "../node.ts";
import { CommandError } from "./command-error.ts";
import { embedderFor } from "./embedder-option.ts";
import { EXIT } from "./exit-code.ts";
import type { Arguments } from "./options.ts";
import type { Terminal } from "./terminal.ts";

/** File that makes a folder a store. */
const DATABASE = "lodestore.db";

/** Returns the folder of the store: `--db`, else `LODESTORE_DB`, else `./.lodestore`. */
export function storeFolder(args: Arguments, terminal: Terminal): string {
  const fromEnv = terminal.env["LODESTORE_DB"];
  return args.text("db") ?? (fromEnv === undefined || fromEnv === "" ? ".lodestore" : fromEnv);
}

/** Opens the store that is there for writing, with the embedder that was asked for.
 *  @throws CommandError NOT_FOUND, INVALID_INPUT (`--embedder`)
 *  @throws StorageError what `openStore` throws */
export async function openExistingStore(args: Arguments, terminal: Terminal): Promise<Store> {
  return openOrCreateStore(existingFolder(args, terminal), await embedderFor(args, terminal));
}

/** Opens the store that is there for reading only, so that a program which has it open is no hindrance. One that has to be brought up to
 *  date, or repaired, before it can be read is opened for writing.
 *  @throws as {@link openExistingStore} */
export async function openStoreToRead(args: Arguments, terminal: Terminal): Promise<Store> {
  const folder = existingFolder(args, terminal);
  const embedder = await embedderFor(args, terminal);
  try {
    return await open(folder, embedder, { readOnly: true, readers: 1 });
  } catch (error) {
    if (!isBehind(error)) throw error;
    return openOrCreateStore(folder, await embedderFor(args, terminal));
  }
}

/** Whether schema or text index would have to be written first. */
function isBehind(error: unknown): boolean {
  if (!(error instanceof StorageError) || error.code !== "UNSUPPORTED") return false;
  return error.capability === "migrations" || error.capability === "search";
}

/** Opens the store in a folder; makes it when there is none. Nothing is embedded before a command asks for it. */
export function openOrCreateStore(folder: string, embedder: Embedder | undefined): Promise<Store> {
  return open(folder, embedder, { readers: 0 });
}

/** A command that works on a store that is there makes none. */
function existingFolder(args: Arguments, terminal: Terminal): string {
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
  embedder: Embedder | undefined,
  options: Pick<OpenNodeStoreOptions, "readOnly" | "readers">,
): Promise<Store> {
  try {
    return await openStore({
      dir: folder,
      embedOnOpen: false,
      ...options,
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
