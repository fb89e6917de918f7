import { readFile, stat } from "node:fs/promises";
import { type Embedder, type EmbedderSpec, makeEmbedder, StorageError } from "../node.ts";
import { type CommandError, usageError } from "./command-error.ts";
import type { Arguments } from "./options.ts";
import { suggest } from "./suggest.ts";
import type { Terminal } from "./terminal.ts";

const VARIABLE = "LODESTORE_EMBEDDER";
/** What is larger is no description of an embedder. */
const MAX_CONFIG_BYTES = 1024 * 1024;

/** Makes the embedder that `--embedder`, else `LODESTORE_EMBEDDER`, names: `none` is `undefined`, `hashing` the default, and
 *  anything else a JSON file with an `EmbedderSpec`.
 *  @throws CommandError (usage) naming the file and the field; what else stands in the file, such as a key, it never shows */
export async function embedderFor(args: Arguments, terminal: Terminal): Promise<Embedder | undefined> {
  const typed = args.text("embedder");
  const fromEnv = terminal.env[VARIABLE];
  const chosen = typed ?? (fromEnv === undefined || fromEnv === "" ? "hashing" : fromEnv);
  if (chosen === "none") return undefined;
  if (chosen === "hashing") return makeEmbedder({ kind: "hashing" });
  const origin = typed === undefined ? VARIABLE : "--embedder";
  return fromFile(args.command, origin, chosen);
}

async function fromFile(command: string, origin: string, file: string): Promise<Embedder> {
  const spec = parse(command, origin, file, await read(command, origin, file));
  try {
    // What it is not is found by the function that takes it.
    return makeEmbedder(spec as EmbedderSpec);
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== "INVALID_INPUT") throw error;
    throw wrong(command, origin, file, error.message);
  }
}

async function read(command: string, origin: string, file: string): Promise<string> {
  let reason: string;
  try {
    const { size } = await stat(file);
    if (size <= MAX_CONFIG_BYTES) return await readFile(file, "utf8");
    reason = `it has ${size} bytes; a description of an embedder has up to ${MAX_CONFIG_BYTES}`;
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
    if (isMissing(error)) throw noSuchFile(command, origin, file);
  }
  throw wrong(command, origin, file, reason);
}

function noSuchFile(command: string, origin: string, file: string): CommandError {
  const meant = /[./\\]/.test(file) ? undefined : suggest(file, ["none", "hashing"]);
  return usageError(
    command,
    `${origin} got "${file}"; it takes none, hashing or a JSON file, and there is no such file`,
    meant === undefined ? undefined : `Did you mean: ${meant}`,
  );
}

function parse(command: string, origin: string, file: string, text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    // The message quotes the file, and there may be a key in it: only the place is told.
    const place = error instanceof Error ? /at position \d+(?: \(line \d+ column \d+\))?/.exec(error.message) : null;
    throw wrong(command, origin, file, `it is not JSON${place === null ? "" : ` (${place[0]})`}`);
  }
}

function wrong(command: string, origin: string, file: string, reason: string): CommandError {
  return usageError(
    command,
    `${origin} ${file}: ${reason}`,
    'Example: {"kind":"http","api":"ollama","url":"http://127.0.0.1:11434","model":"all-minilm","dimensions":384}',
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
