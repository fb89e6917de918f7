import type { IngestFile } from "../../contracts/store.ts";
import { StorageError } from "../../errors.ts";
import { untilAborted } from "../../contracts/until-aborted.ts";
import { ingestAborted } from "./ingest-aborted.ts";

/** Returns the file's bytes, a copy of those of the caller, who may use his buffer again; larger than `maxBytes` is refused before it is read where the size is known.
 *  @param signal Ends the waiting for a file that is being read: that may hang.
 *  @throws StorageError INVALID_INPUT (too large, content of no known kind), DRIVER (reading failed or was aborted) */
export async function readContent(
  file: IngestFile,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { content } = file;
  if (file.sizeBytes !== undefined) refuseLarge(file.sizeBytes, maxBytes);
  if (content instanceof Uint8Array) return owned(content, maxBytes);
  if (typeof content === "string") return limited(new TextEncoder().encode(content), maxBytes);
  if (content instanceof Blob) refuseLarge(content.size, maxBytes);
  let bytes: unknown;
  try {
    if (content instanceof Blob)
      bytes = new Uint8Array(await untilAborted(content.arrayBuffer(), signal, ingestAborted));
    else if (typeof content === "function")
      bytes = await untilAborted(Promise.resolve(content()), signal, ingestAborted);
  } catch (cause) {
    throw new StorageError("DRIVER", `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      capability: "ingest",
      operation: "read",
      cause,
    });
  }
  if (!(bytes instanceof Uint8Array)) {
    throw refused("content is neither bytes, text, a Blob nor a function that returns bytes");
  }
  return content instanceof Blob ? limited(bytes, maxBytes) : owned(bytes, maxBytes);
}

/** A copy: `slice` of a Node `Buffer` would be none. */
function owned(bytes: Uint8Array, maxBytes: number): Uint8Array {
  return new Uint8Array(limited(bytes, maxBytes));
}

function limited(bytes: Uint8Array, maxBytes: number): Uint8Array {
  refuseLarge(bytes.byteLength, maxBytes);
  return bytes;
}

function refuseLarge(sizeBytes: number, maxBytes: number): void {
  if (sizeBytes > maxBytes) {
    throw refused(`is ${megabytes(sizeBytes)} large; the limit is ${megabytes(maxBytes)} (maxFileBytes)`);
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function refused(message: string): StorageError {
  return new StorageError("INVALID_INPUT", message, { capability: "ingest", operation: "read" });
}
