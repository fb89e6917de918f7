import { StorageError, type StorageErrorCode } from "../node.ts";
import { CommandError } from "./command-error.ts";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import { withOptionName } from "./filter-options.ts";
import { printable } from "./printable.ts";
import type { OutputStream } from "./terminal.ts";

const HINTS: Partial<Record<StorageErrorCode, string>> = {
  CORRUPT: "The store is damaged. Take the files in again with another --db, or put back a copy of the folder.",
  BAD_FORMAT: "That file is no store. Choose another folder with --db.",
  SCHEMA_TOO_NEW: "A newer lodestore made this store: update lodestore.",
  CONFLICT: "Another process has the store. Wait until it is done, or choose another --db.",
  TIMEOUT: "Another process is writing to the store. Try again when it is done.",
  QUOTA_EXCEEDED: "The disk is full. What was taken in until then is whole.",
};

const EMBEDDER_HINT = "That is the model's failure; the store is well. What has its embedding keeps it.";

/** Writes an error to stderr, as text or as JSON.
 *  @returns the exit code. */
export function reportError(error: unknown, command: string, stderr: OutputStream, json: boolean): number {
  const { code, message, operation, exitCode, hint } = describe(error, command);
  if (json) {
    stderr.write(`${JSON.stringify({ error: { code, message, operation } })}\n`);
    return exitCode;
  }
  const showsCode = !(error instanceof CommandError);
  stderr.write(
    `lodestore${command === "" ? "" : ` ${command}`}: ${printable(message)}${showsCode ? ` [${code}]` : ""}\n`,
  );
  if (hint !== undefined) stderr.write(`${printable(hint)}\n`);
  if (exitCode === EXIT.defect && error instanceof Error) stderr.write(`${error.stack ?? ""}\n`);
  return exitCode;
}

interface Description {
  code: string;
  message: string;
  operation: string;
  exitCode: number;
  hint?: string | undefined;
}

function describe(error: unknown, command: string): Description {
  if (error instanceof CommandError) return error;
  if (error instanceof StorageError) {
    const { code, message, operation } = error;
    if (error.capability === "embedder" && code !== "INVALID_INPUT" && code !== "ABORTED") {
      return { code, message, operation, exitCode: EXIT.store, hint: EMBEDDER_HINT };
    }
    const typed = code === "INVALID_INPUT" ? withOptionName(message) : message;
    // A conflict of embeddings is between two models, not two processes.
    const ofModels = code === "CONFLICT" && (error.capability === "embeddings" || error.capability === "vectors");
    return { code, message: typed, operation, exitCode: exitCodeOf(code), hint: ofModels ? undefined : HINTS[code] };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: "INTERNAL",
    message: `unexpected: ${message}`,
    operation: command,
    exitCode: EXIT.defect,
    hint: "This is a defect in lodestore; please report it with what follows.",
  };
}
