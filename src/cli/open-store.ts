import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { openStore, type Store, StorageError } from "../node.ts";
import { CommandError } from "./command-error.ts";
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

/** Opens the store that is there; a command that reads makes none.
 *  @throws CommandError NOT_FOUND
 *  @throws StorageError what `openStore` throws */
export async function openExistingStore(args: Arguments, terminal: Terminal): Promise<Store> {
  const folder = storeFolder(args, terminal);
  if (!existsSync(join(folder, DATABASE))) {
    throw new CommandError(`there is no store in ${resolve(folder)}`, {
      code: "NOT_FOUND",
      operation: args.command,
      exitCode: EXIT.store,
      hint: "Make one: lodestore ingest <folder>. Or say where it is: --db <dir>",
    });
  }
  return openOrCreateStore(folder);
}

/** Opens the store in a folder; makes it when there is none. */
export async function openOrCreateStore(folder: string): Promise<Store> {
  try {
    return await openStore({ dir: folder });
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
