import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import type { TarReader } from "../../formats/tar/tar-reader.ts";
import type { TarContent } from "../../formats/tar/tar-writer.ts";
import type { ExternalAssets } from "../documents/external-assets.ts";
import { externalKey } from "../documents/external-key.ts";
import type { HeldBytes } from "../documents/held-bytes.ts";
import { ContentHasher } from "../ids.ts";
import { archiveError } from "./archive-error.ts";
import { HashedBytes } from "./hashed-bytes.ts";
import { ASSETS_FOLDER, type EntryChecksum } from "./manifest.ts";

/** An asset whose bytes are beside the database. */
export interface ArchivedAsset {
  contentHash: string;
  byteLength: number;
}

const HASH = /^[0-9a-f]{64}$/u;

/** Returns the assets of a database whose bytes are beside it. @param schema `image`: of the attached one. */
export async function assetsBeside(db: SqlExecutor, schema: "main" | "image"): Promise<ArchivedAsset[]> {
  return db.all<{ contentHash: string; byteLength: number }>(
    `SELECT content_hash AS "contentHash", byte_length AS "byteLength" FROM ${schema}.assets
     WHERE blob_store IS NOT NULL ORDER BY content_hash`,
  );
}

/** Hands out their bytes as files of an archive, one after the other. Bytes that are damaged end it: an archive that cannot be imported is
 *  no backup. */
export async function* assetEntries(
  external: ExternalAssets,
  assets: readonly ArchivedAsset[],
  checksums: Map<string, EntryChecksum>,
): AsyncGenerator<TarContent, void, undefined> {
  for (const asset of assets) {
    const hashed = new HashedBytes();
    const name = `${ASSETS_FOLDER}${asset.contentHash}`;
    yield { name, sizeBytes: asset.byteLength, bytes: hashed.of(soundBytes(external, asset)) };
    checksums.set(name, hashed.checksum());
  }
}

async function* soundBytes(
  external: ExternalAssets,
  { contentHash, byteLength }: ArchivedAsset,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hasher = new ContentHasher();
  let left = byteLength;
  try {
    for await (const piece of external.blobs.getStream(externalKey(contentHash))) {
      left -= piece.byteLength;
      if (left < 0) break;
      hasher.update(piece);
      yield piece;
    }
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== "NOT_FOUND") throw error;
    if (await external.isNamed(contentHash)) throw damaged(contentHash, "are missing", error);
    // Only a process that writes beside this one, which reads, gets in between.
    const message = `the asset with the hash ${contentHash} was deleted while the archive was made; make it again`;
    throw archiveError("CONFLICT", "export", message, error);
  }
  if (left !== 0 || hasher.digest() !== contentHash) throw damaged(contentHash, "are others than were put");
}

function damaged(contentHash: string, what: string, cause?: unknown): StorageError {
  return archiveError("CORRUPT", "export", `the bytes of the asset with the hash ${contentHash} ${what}`, cause);
}

/** Takes the file at hand of an archive in as the bytes of an asset, which are held until the rows are committed. */
export async function takeAssetEntry(
  external: ExternalAssets,
  tar: TarReader,
  name: string,
  checksums: Map<string, EntryChecksum>,
  onPiece: () => void,
): Promise<HeldBytes> {
  const contentHash = name.slice(ASSETS_FOLDER.length);
  if (!HASH.test(contentHash) || checksums.has(name)) {
    const message = `the archive holds ${JSON.stringify(name)}, which is no asset, or holds it twice`;
    throw archiveError("BAD_FORMAT", "import", message);
  }
  const hashed = new HashedBytes();
  const incoming = await external.receive();
  try {
    for await (const piece of hashed.of(tar.content())) {
      await incoming.write(piece);
      onPiece();
    }
  } catch (error) {
    await incoming.abort();
    throw error;
  }
  checksums.set(name, hashed.checksum());
  const held = await incoming.end();
  if (held.contentHash === contentHash) return held;
  await held.letGo();
  throw archiveError("CORRUPT", "import", `${name} in the archive is damaged: its hash is another one`);
}

/** Looks whether all bytes came that the rows of the attached image say are beside the database.
 *  @throws StorageError CORRUPT */
export async function requireAssets(db: SqlExecutor, held: readonly HeldBytes[]): Promise<void> {
  const came = new Map(held.map(({ contentHash, byteLength }) => [contentHash, byteLength]));
  for (const { contentHash, byteLength } of await assetsBeside(db, "image")) {
    if (came.get(contentHash) === byteLength) continue;
    throw archiveError(
      "CORRUPT",
      "import",
      `the archive lacks ${ASSETS_FOLDER}${contentHash}, which its database names`,
    );
  }
}
