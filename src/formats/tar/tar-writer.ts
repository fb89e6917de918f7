import { TAR_BLOCK, tarPadding, writeTarHeader } from "./tar-header.ts";

/** A file to be written. */
export interface TarContent {
  name: string;
  sizeBytes: number;
  /** Exactly `sizeBytes` bytes. */
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Hands out the bytes of a tar of plain files, one after the other.
 *  @param modifiedAt Seconds since 1970, for all of them.
 *  @see POSIX.1-1988, ustar interchange format */
export async function* writeTar(
  files: AsyncIterable<TarContent>,
  modifiedAt: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { name, sizeBytes, bytes } of files) {
    yield writeTarHeader({ name, sizeBytes, modifiedAt });
    let written = 0;
    for await (const piece of bytes) {
      written += piece.byteLength;
      yield piece;
    }
    if (written !== sizeBytes) throw new RangeError(`${name} was to be ${sizeBytes} bytes and is ${written}`);
    const padding = tarPadding(sizeBytes);
    if (padding > 0) yield new Uint8Array(padding);
  }
  yield new Uint8Array(2 * TAR_BLOCK);
}

/** Bytes of a tar of files of these sizes. */
export function tarSize(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + TAR_BLOCK + size + tarPadding(size), 2 * TAR_BLOCK);
}
