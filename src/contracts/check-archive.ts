import type { ArchiveOptions } from "./archive.ts";
import { streamPieces } from "./stream-pieces.ts";
import { type CallSite, invalidInput, requireObject, requireSignal } from "./validate.ts";

const TAKES = "an async iterable of Uint8Array, a ReadableStream or a Blob";

/** Returns the options of an export or an import. */
export function checkArchiveOptions(site: CallSite, options: unknown): ArchiveOptions {
  const given = requireObject(site, "options", options, ["signal", "onProgress"]);
  const { onProgress } = given;
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw invalidInput(site, "options.onProgress", onProgress, "a function");
  }
  const signal = requireSignal(site, given);
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress: onProgress as NonNullable<ArchiveOptions["onProgress"]> }),
  };
}

/** Returns the archive as an iterable, whichever of its kinds it is. What it hands out is looked at when it comes. */
export function requireArchive(site: CallSite, archive: unknown): AsyncIterable<Uint8Array> {
  const pieces = streamPieces(archive);
  if (pieces !== undefined) return pieces;
  throw invalidInput(site, "archive", archive, TAKES);
}
