import type { ArchiveOptions } from "../../contracts/archive.ts";
import type { SqlDatabase, SqlImage } from "../../contracts/sql.ts";
import type { StoreStorage } from "../../contracts/upkeep.ts";
import { type TarContent, tarSize, writeTar } from "../../formats/tar/tar-writer.ts";
import type { AnyVectorStore, VectorSide } from "../embeddings/vector-side.ts";
import type { ExternalAssets } from "../documents/external-assets.ts";
import { type ArchivedAsset, assetEntries, assetsBeside } from "./archive-assets.ts";
import { archiveError, throwIfAborted } from "./archive-error.ts";
import { requireExportRoom } from "./archive-room.ts";
import { ArchiveProgressTeller } from "./archive-progress.ts";
import { writeCarriedVectors } from "./carried-vectors.ts";
import { HashedBytes } from "./hashed-bytes.ts";
import type { HeldWrites } from "./held-writes.ts";
import {
  type ArchiveCounts,
  type ArchiveManifest,
  ASSETS_FOLDER,
  CHECKSUMS_ENTRY,
  DATABASE_ENTRY,
  type EntryChecksum,
  MANIFEST_ENTRY,
  writeChecksums,
  writeManifest,
} from "./manifest.ts";
import { PACKAGE_VERSION } from "./package-version.ts";

/** What an archive is made of. */
export interface ArchiveParts {
  db: SqlDatabase;
  vectors?: AnyVectorStore | undefined;
  /** What the store's own writes of vectors go through, so that an import and they take turns. */
  side?: VectorSide | undefined;
  storage: StoreStorage;
  /** Bytes of assets beside the database. */
  external?: ExternalAssets | undefined;
  /** Keeps others from writing while an import may be undone. */
  held: HeldWrites;
}

/** Hands out a tar with the store in it: what it is, the database with everything, and what the two add up to. The store goes on
 *  meanwhile: the archive is of the moment at which the first of its bytes was asked for. */
export async function* exportArchive(
  parts: ArchiveParts,
  { onProgress }: ArchiveOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const progress = new ArchiveProgressTeller(onProgress);
  throwIfAborted(signal, "export");
  progress.at("copy", 0, null);
  await requireExportRoom(parts.db, parts.storage);
  // From before the copy: what its rows name is there until it is read.
  const unpin = parts.external?.pin();
  try {
    const image = await copyOf(parts.db, signal);
    try {
      const { manifest, assets } = await describeImage(image, parts, signal);
      throwIfAborted(signal, "export");
      const head = writeManifest(manifest);
      // The last file's length does not depend on what its checksums are.
      const tailSize = writeChecksums(checksumsOf(head, await image.sizeBytes(), assets)).byteLength;
      const sizes = assets.map(({ byteLength }) => byteLength);
      const total = tarSize([head.byteLength, manifest.databaseBytes, ...sizes, tailSize]);
      let done = 0;
      const files = contents(head, image, manifest, parts.external, assets);
      for await (const piece of writeTar(files, Math.floor(Date.parse(manifest.createdAt) / 1000))) {
        throwIfAborted(signal, "export");
        done += piece.byteLength;
        progress.at("transfer", done, total);
        yield piece;
      }
    } finally {
      await image.close();
    }
  } finally {
    await unpin?.();
  }
}

/** @throws StorageError ABORTED, or CLOSED where the store was closed: the database knows of the signal only that it was aborted */
async function copyOf(db: SqlDatabase, signal: AbortSignal): Promise<SqlImage> {
  try {
    return await db.image({ signal });
  } catch (error) {
    throwIfAborted(signal, "export");
    throw error;
  }
}

async function* contents(
  head: Uint8Array,
  image: SqlImage,
  { databaseBytes }: ArchiveManifest,
  external: ExternalAssets | undefined,
  assets: readonly ArchivedAsset[],
): AsyncGenerator<TarContent, void, undefined> {
  const checksums = new Map<string, EntryChecksum>();
  const first = new HashedBytes();
  yield { name: MANIFEST_ENTRY, sizeBytes: head.byteLength, bytes: first.of([head]) };
  checksums.set(MANIFEST_ENTRY, first.checksum());
  const database = new HashedBytes();
  yield { name: DATABASE_ENTRY, sizeBytes: databaseBytes, bytes: database.of(image.read()) };
  checksums.set(DATABASE_ENTRY, database.checksum());
  if (external !== undefined) yield* assetEntries(external, assets, checksums);
  const tail = writeChecksums(checksums);
  yield { name: CHECKSUMS_ENTRY, sizeBytes: tail.byteLength, bytes: [tail] };
}

/** Checksums as long as the real ones. */
function checksumsOf(
  head: Uint8Array,
  databaseBytes: number,
  assets: readonly ArchivedAsset[],
): Map<string, EntryChecksum> {
  const sha256 = "0".repeat(64);
  return new Map([
    [MANIFEST_ENTRY, { sizeBytes: head.byteLength, sha256 }],
    [DATABASE_ENTRY, { sizeBytes: databaseBytes, sha256 }],
    ...assets.map(({ contentHash, byteLength }): [string, EntryChecksum] => [
      `${ASSETS_FOLDER}${contentHash}`,
      { sizeBytes: byteLength, sha256 },
    ]),
  ]);
}

async function describeImage(
  image: SqlImage,
  { vectors, external }: ArchiveParts,
  signal: AbortSignal,
): Promise<{ manifest: ArchiveManifest; assets: ArchivedAsset[] }> {
  const engine = await vectors?.capabilities();
  const copy = await image.open();
  let counts: ArchiveCounts;
  let schemaVersion: number;
  let assets: ArchivedAsset[];
  try {
    if (vectors !== undefined && engine?.transactional === false) await writeCarriedVectors(copy, vectors, signal);
    counts = await countsOf(copy);
    assets = await assetsBeside(copy, "main");
    schemaVersion = (await copy.get<{ n: number }>("SELECT max(version) AS n FROM schema_migrations"))?.n ?? 0;
  } finally {
    await copy.close();
  }
  if (assets.length > 0 && external === undefined) {
    const message = "bytes of assets are beside the database, and the store was opened without what keeps them";
    throw archiveError("UNSUPPORTED", "export", message);
  }
  const manifest = {
    createdAt: new Date().toISOString(),
    packageVersion: PACKAGE_VERSION,
    schemaVersion,
    vectorEngine: engine?.driver ?? null,
    databaseBytes: await image.sizeBytes(),
    counts,
    assets: { count: assets.length, bytes: assets.reduce((sum, { byteLength }) => sum + byteLength, 0) },
  };
  return { manifest, assets };
}

async function countsOf(db: SqlDatabase): Promise<ArchiveCounts> {
  const row = await db.get<ArchiveCounts>(
    `SELECT (SELECT count(*) FROM documents) AS documents, (SELECT count(*) FROM chunks) AS chunks,
       (SELECT count(*) FROM assets) AS assets,
       (SELECT count(*) FROM embedding_records WHERE status = 'committed') AS embeddings`,
  );
  return row ?? { documents: 0, chunks: 0, assets: 0, embeddings: 0 };
}
