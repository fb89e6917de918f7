import type { ArchiveSource } from "../contracts/archive.ts";
import { requireArchive } from "../contracts/check-archive.ts";

/** An archive as it crosses to a worker. A blob is read over there, where it can be sent: one of Node's of a file cannot, nor can a stream by
 *  every browser, but what they hand out can.
 *  @throws StorageError INVALID_INPUT */
export function sendableArchive(archive: ArchiveSource): Blob | AsyncIterable<Uint8Array> {
  if (archive instanceof Blob && isSendable(archive)) return archive;
  return requireArchive({ capability: "archive", operation: "import" }, archive);
}

/** Cloning a blob copies none of its bytes. */
function isSendable(blob: Blob): boolean {
  try {
    structuredClone(blob);
    return true;
  } catch {
    return false;
  }
}
