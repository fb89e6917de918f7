import { createHash } from "node:crypto";
import type { Store } from "../../src/contracts/store.ts";
import { readTarHeader, tarPadding, writeTarHeader } from "../../src/formats/tar/tar-header.ts";

/** The entries of an archive, by name, in their order. */
export type Entries = Map<string, Uint8Array>;

/** The whole archive of a store. */
export async function archiveOf(store: Store): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of store.export()) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}

/** Hands an archive out in pieces. */
export async function* inPieces(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.slice(at, at + size);
}

/** Takes an archive apart. */
export function entriesOf(archive: Uint8Array): Entries {
  const entries: Entries = new Map();
  for (let at = 0; ;) {
    const header = readTarHeader(archive.subarray(at, at + 512));
    if (header === undefined) return entries;
    const { name, sizeBytes } = header;
    at += 512;
    entries.set(name, archive.slice(at, at + sizeBytes));
    at += sizeBytes + tarPadding(sizeBytes);
  }
}

/** Puts entries together, without looking at what is in them. */
export function tarOf(entries: Iterable<readonly [name: string, content: Uint8Array]>): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const [name, content] of entries) {
    const sizeBytes = content.byteLength;
    blocks.push(writeTarHeader({ name, sizeBytes, modifiedAt: 0 }), content, new Uint8Array(tarPadding(sizeBytes)));
  }
  return new Uint8Array(Buffer.concat([...blocks, new Uint8Array(1024)]));
}

export const textOf = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Changes what an archive says of itself or its database, with checksums and lengths that are right again. */
export function archiveWith(
  archive: Uint8Array,
  change: { manifest?: (manifest: Record<string, unknown>) => void; database?: (bytes: Uint8Array) => Uint8Array },
): Uint8Array {
  const entries = entriesOf(archive);
  const database = (change.database ?? ((bytes) => bytes))(entries.get("lodestore.db") as Uint8Array);
  const manifest = JSON.parse(textOf(entries.get("lodestore.json"))) as Record<string, unknown>;
  manifest["databaseBytes"] = database.byteLength;
  change.manifest?.(manifest);
  const head = bytesOf(JSON.stringify(manifest));
  const checksum = (bytes: Uint8Array): object => ({
    sizeBytes: bytes.byteLength,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  });
  const checksums = {
    algorithm: "sha256",
    entries: { "lodestore.json": checksum(head), "lodestore.db": checksum(database) },
  };
  return tarOf([
    ["lodestore.json", head],
    ["lodestore.db", database],
    ["checksums.json", bytesOf(JSON.stringify(checksums))],
  ]);
}
