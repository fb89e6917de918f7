import { readFile, stat } from "node:fs/promises";
import { StorageError } from "../node.ts";
import { CommandError, usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { formatBytes } from "./format.ts";

/** Largest file with vectors: what Node reads at once. */
const MAX_FILE_BYTES: number = 2 ** 31 - 1;
/** Largest JSON file: its text must fit into one string. */
const MAX_JSON_BYTES: number = 256 * 2 ** 20;

/** Reads a file that was named on the command line.
 *  @throws CommandError (usage) it is not there, no file, or too large */
export async function readInputFile(command: string, path: string): Promise<Uint8Array> {
  return readUpTo(command, path, MAX_FILE_BYTES);
}

/** Reads a JSON file that was named on the command line; what is in it is not looked at. */
export async function readInputText(command: string, path: string): Promise<string> {
  const bytes = await readUpTo(command, path, MAX_JSON_BYTES);
  return new TextDecoder().decode(bytes);
}

/** Calls what reads a file's content. What is wrong with the content is an error that names the file. */
export function withFileName<T>(command: string, path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    const { code, message } = error;
    throw new CommandError(`${path}: ${message} [${code}]`, {
      code,
      operation: command,
      exitCode: code === "INVALID_INPUT" ? EXIT.usage : EXIT.wrong,
    });
  }
}

async function readUpTo(command: string, path: string, maxBytes: number): Promise<Uint8Array> {
  let reason: string;
  try {
    const found = await stat(path);
    if (found.isFile() && found.size <= maxBytes) return await readFile(path);
    reason = found.isFile() ? `it has ${formatBytes(found.size)}, more than ${formatBytes(maxBytes)}` : "it is no file";
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  throw usageError(command, `${path} cannot be read: ${reason}`);
}
