import type { IngestFile, IngestSource } from "./store.ts";
import { isPlainObject } from "./validate.ts";

/** Returns the bytes of the files of a source, as far as they are known without reading: of one file, or of a list. What is larger than
 *  `maxFileBytes` is refused and does not count. */
export function knownBytes(source: IngestSource, maxFileBytes: number): number {
  const given: readonly unknown[] = Array.isArray(source) ? source : [source];
  let bytes = 0;
  for (const file of given) {
    const size = isPlainObject(file) ? sizeOf(file) : 0;
    if (size <= maxFileBytes) bytes += size;
  }
  return bytes;
}

function sizeOf({ content, sizeBytes }: Partial<Record<keyof IngestFile, unknown>>): number {
  if (typeof content === "string") return content.length;
  if (ArrayBuffer.isView(content)) return content.byteLength;
  if (content instanceof Blob) return content.size;
  return typeof sizeBytes === "number" && sizeBytes >= 0 ? sizeBytes : 0;
}
