import type { ArchiveSource } from "../contracts/archive.ts";
import { requireArchive } from "../contracts/check-archive.ts";

/** An archive as it crosses to a worker. A blob is read over there; a stream cannot be sent by every browser, but what it hands out can.
 *  @throws StorageError INVALID_INPUT */
export function sendableArchive(archive: ArchiveSource): Blob | AsyncIterable<Uint8Array> {
  return archive instanceof Blob ? archive : requireArchive({ capability: "archive", operation: "import" }, archive);
}
