import type { ArchiveOptions, ArchiveSource } from "./archive.ts";
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
  if (archive instanceof Blob) return piecesOf(archive.stream());
  if (archive instanceof ReadableStream) return piecesOf(archive as ReadableStream<Uint8Array>);
  if (typeof archive === "object" && archive !== null && Symbol.asyncIterator in archive) {
    return archive as Exclude<ArchiveSource, Blob | ReadableStream>;
  }
  throw invalidInput(site, "archive", archive, TAKES);
}

/** Not every browser iterates streams. */
function piecesOf(stream: ReadableStream<Uint8Array>): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => {
      const reader = stream.getReader();
      return {
        next: async () => {
          const { done, value } = await reader.read();
          return done ? { done: true, value: undefined } : { done: false, value };
        },
        return: async () => {
          await reader.cancel();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
