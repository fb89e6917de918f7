import type { SqlDatabase, SqlImage } from "../../contracts/sql.ts";
import type { TarFile } from "../../formats/tar/tar-header.ts";
import { TarReader } from "../../formats/tar/tar-reader.ts";
import type { ExternalAssets } from "../documents/external-assets.ts";
import type { HeldBytes } from "../documents/held-bytes.ts";
import { takeAssetEntry } from "./archive-assets.ts";
import { archiveError, readingEntry } from "./archive-error.ts";
import type { ArchiveProgressTeller } from "./archive-progress.ts";
import { HashedBytes } from "./hashed-bytes.ts";
import {
  type ArchiveManifest,
  ASSETS_FOLDER,
  CHECKSUMS_ENTRY,
  DATABASE_ENTRY,
  type EntryChecksum,
  MANIFEST_ENTRY,
  MAX_CHECKSUMS_BYTES,
  MAX_JSON_BYTES,
  readChecksums,
  readManifest,
} from "./manifest.ts";

/** An archive that was read to its end and is what its checksums say. */
export interface ReadArchive {
  manifest: ArchiveManifest;
  /** Its database, which the caller closes. */
  image: SqlImage;
  bytes: number;
}

/** Smallest database: one page of the smallest size. */
const SMALLEST_DATABASE = 512;

/** Reads an archive, its database into a file beside `db`.
 *  @param accept Looks at what the archive says of itself, before its database is read.
 *  @param external Takes the bytes of assets in that are files of their own.
 *  @param held Gets what holds them, which the caller lets go of, also when this throws.
 *  @throws StorageError BAD_FORMAT, UNSUPPORTED (bytes of assets, and no `external`), CORRUPT, SCHEMA_TOO_NEW, QUOTA_EXCEEDED, what the stream and `accept` throw */
export async function readArchive(
  db: SqlDatabase,
  bytes: AsyncIterable<Uint8Array>,
  accept: (manifest: ArchiveManifest) => Promise<void>,
  progress: ArchiveProgressTeller,
  external: ExternalAssets | undefined,
  held: HeldBytes[],
): Promise<ReadArchive> {
  const tar = new TarReader(bytes);
  const checksums = new Map<string, EntryChecksum>();
  let image: SqlImage | undefined;
  try {
    const manifest = readManifest(await readJson(tar, await entry(tar, MANIFEST_ENTRY), checksums));
    await accept(manifest);
    if (manifest.assets.count > 0 && external === undefined) {
      const message = "the archive holds bytes beside its database, and the store was opened without what keeps them";
      throw archiveError("UNSUPPORTED", "import", message);
    }
    const file = await entry(tar, DATABASE_ENTRY);
    if (file.sizeBytes !== manifest.databaseBytes || file.sizeBytes < SMALLEST_DATABASE) {
      const message = `${DATABASE_ENTRY} in the archive has ${file.sizeBytes} bytes; ${MANIFEST_ENTRY} says ${manifest.databaseBytes}`;
      throw archiveError("CORRUPT", "import", message);
    }
    const hashed = new HashedBytes();
    image = await readingEntry(DATABASE_ENTRY, () => db.imageFrom(told(hashed.of(tar.content()), tar, file, progress)));
    checksums.set(DATABASE_ENTRY, hashed.checksum());
    const total = tar.bytesRead + manifest.assets.bytes;
    let last = await tar.next();
    for (; last?.name.startsWith(ASSETS_FOLDER) === true; last = await tar.next()) {
      if (external === undefined) break;
      const onPiece = (): void => progress.at("transfer", tar.bytesRead, Math.max(total, tar.bytesRead));
      held.push(await takeAssetEntry(external, tar, last.name, checksums, onPiece));
    }
    if (last?.name !== CHECKSUMS_ENTRY) throw unexpected(last?.name, CHECKSUMS_ENTRY);
    const stated = readChecksums(await readJson(tar, last, new Map(), MAX_CHECKSUMS_BYTES));
    verify(checksums, stated);
    const more = await tar.next();
    if (more !== undefined) throw unexpected(more.name, "nothing more");
    progress.at("transfer", tar.bytesRead, tar.bytesRead);
    return { manifest, image, bytes: tar.bytesRead };
  } catch (error) {
    await image?.close();
    throw error;
  } finally {
    await tar.end();
  }
}

/** Goes to the next file, which must be this one. */
async function entry(tar: TarReader, name: string): Promise<TarFile> {
  const file = await tar.next();
  if (file?.name === name) return file;
  throw unexpected(file?.name, name);
}

function unexpected(got: string | undefined, expected: string): Error {
  const found = got === undefined ? "ends" : `holds ${JSON.stringify(got)}`;
  return archiveError("BAD_FORMAT", "import", `the archive ${found} where ${expected} should be`);
}

async function readJson(
  tar: TarReader,
  file: TarFile,
  checksums: Map<string, EntryChecksum>,
  most = MAX_JSON_BYTES,
): Promise<Uint8Array> {
  const { name, sizeBytes } = file;
  if (sizeBytes > most) {
    const message = `${name} in the archive has ${sizeBytes} bytes; it takes at most ${most}`;
    throw archiveError("BAD_FORMAT", "import", message);
  }
  const content = new Uint8Array(sizeBytes);
  const hashed = new HashedBytes();
  let at = 0;
  for await (const piece of hashed.of(tar.content())) {
    content.set(piece, at);
    at += piece.byteLength;
  }
  checksums.set(name, hashed.checksum());
  return content;
}

async function* told(
  bytes: AsyncIterable<Uint8Array>,
  tar: TarReader,
  { sizeBytes }: TarFile,
  progress: ArchiveProgressTeller,
): AsyncGenerator<Uint8Array, void, undefined> {
  const total = tar.bytesRead + sizeBytes;
  for await (const piece of bytes) {
    progress.at("transfer", tar.bytesRead, total);
    yield piece;
  }
}

function verify(found: ReadonlyMap<string, EntryChecksum>, stated: ReadonlyMap<string, EntryChecksum>): void {
  for (const [name, { sizeBytes, sha256 }] of found) {
    const expected = stated.get(name);
    if (expected === undefined) {
      throw archiveError("BAD_FORMAT", "import", `${CHECKSUMS_ENTRY} in the archive has none of ${name}`);
    }
    if (expected.sha256 !== sha256 || expected.sizeBytes !== sizeBytes) {
      throw archiveError("CORRUPT", "import", `${name} in the archive is damaged: its checksum is another one`);
    }
  }
}
