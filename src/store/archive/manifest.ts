import { describe, isPlainObject } from "../../contracts/validate.ts";
import { archiveError } from "./archive-error.ts";

/** Names of an archive's files, in their order. */
export const MANIFEST_ENTRY = "lodestore.json";
export const DATABASE_ENTRY = "lodestore.db";
export const CHECKSUMS_ENTRY = "checksums.json";
/** Between the database and the checksums: bytes of assets beside the database, named by their blake3. */
export const ASSETS_FOLDER = "assets/";

const FORMAT = "lodestore-archive";
/** Raised by every change that this release's readers would not understand. */
const FORMAT_VERSION = 2;
/** Of an archive without files of assets: releases before them read it. */
const FORMAT_WITHOUT_ASSETS = 1;
/** Longest JSON file of an archive: what is read whole. */
export const MAX_JSON_BYTES: number = 1024 * 1024;
/** Longest list of checksums, with those of assets. */
export const MAX_CHECKSUMS_BYTES: number = 128 * 1024 * 1024;

/** What the first file of an archive says of the others. */
export interface ArchiveManifest {
  createdAt: string;
  packageVersion: string;
  schemaVersion: number;
  vectorEngine: string | null;
  databaseBytes: number;
  counts: ArchiveCounts;
  /** Assets whose bytes are files of their own. */
  assets: { count: number; bytes: number };
}

export interface ArchiveCounts {
  documents: number;
  chunks: number;
  assets: number;
  embeddings: number;
}

/** A file of an archive, as the last one lists it. */
export interface EntryChecksum {
  sizeBytes: number;
  /** Lower-case hex, as `sha256sum` prints it. */
  sha256: string;
}

export function writeManifest(manifest: ArchiveManifest): Uint8Array {
  const { assets, ...rest } = manifest;
  if (assets.count === 0) return jsonBytes({ format: FORMAT, formatVersion: FORMAT_WITHOUT_ASSETS, ...rest });
  return jsonBytes({ format: FORMAT, formatVersion: FORMAT_VERSION, ...manifest });
}

/** @throws StorageError BAD_FORMAT, SCHEMA_TOO_NEW (an archive of a later format) */
export function readManifest(bytes: Uint8Array): ArchiveManifest {
  const value = parse(MANIFEST_ENTRY, bytes);
  if (value["format"] !== FORMAT) throw bad(MANIFEST_ENTRY, "format", value["format"], `"${FORMAT}"`);
  const version = count(MANIFEST_ENTRY, value, "formatVersion");
  if (version > FORMAT_VERSION) {
    const message = `the archive has format ${version}; this release reads up to ${FORMAT_VERSION}: update Lodestore`;
    throw archiveError("SCHEMA_TOO_NEW", "import", message);
  }
  const { counts } = value;
  if (!isPlainObject(counts)) throw bad(MANIFEST_ENTRY, "counts", counts, "an object");
  const assets = value["assets"] ?? { count: 0, bytes: 0 };
  if (!isPlainObject(assets)) throw bad(MANIFEST_ENTRY, "assets", assets, "an object");
  const engine = value["vectorEngine"] ?? null;
  if (engine !== null && typeof engine !== "string")
    throw bad(MANIFEST_ENTRY, "vectorEngine", engine, "a text or null");
  return {
    createdAt: text(MANIFEST_ENTRY, value, "createdAt"),
    packageVersion: text(MANIFEST_ENTRY, value, "packageVersion"),
    schemaVersion: count(MANIFEST_ENTRY, value, "schemaVersion"),
    vectorEngine: engine,
    databaseBytes: count(MANIFEST_ENTRY, value, "databaseBytes"),
    counts: {
      documents: count(MANIFEST_ENTRY, counts, "documents"),
      chunks: count(MANIFEST_ENTRY, counts, "chunks"),
      assets: count(MANIFEST_ENTRY, counts, "assets"),
      embeddings: count(MANIFEST_ENTRY, counts, "embeddings"),
    },
    assets: { count: count(MANIFEST_ENTRY, assets, "count"), bytes: count(MANIFEST_ENTRY, assets, "bytes") },
  };
}

export function writeChecksums(entries: ReadonlyMap<string, EntryChecksum>): Uint8Array {
  return jsonBytes({ algorithm: "sha256", entries: Object.fromEntries(entries) });
}

/** @throws StorageError BAD_FORMAT */
export function readChecksums(bytes: Uint8Array): Map<string, EntryChecksum> {
  const value = parse(CHECKSUMS_ENTRY, bytes);
  if (value["algorithm"] !== "sha256") throw bad(CHECKSUMS_ENTRY, "algorithm", value["algorithm"], '"sha256"');
  const { entries } = value;
  if (!isPlainObject(entries)) throw bad(CHECKSUMS_ENTRY, "entries", entries, "an object");
  return new Map(
    Object.entries(entries).map(([name, entry]) => {
      if (!isPlainObject(entry)) throw bad(CHECKSUMS_ENTRY, name, entry, "an object");
      const sizeBytes = count(CHECKSUMS_ENTRY, entry, "sizeBytes");
      return [name, { sizeBytes, sha256: text(CHECKSUMS_ENTRY, entry, "sha256") }];
    }),
  );
}

/** Two spaces and a line feed at the end: people look at it. */
function jsonBytes(value: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}

function parse(entry: string, bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw archiveError("BAD_FORMAT", "import", `${entry} in the archive is not JSON: ${reason}`, cause);
  }
  if (isPlainObject(value)) return value;
  throw archiveError("BAD_FORMAT", "import", `${entry} in the archive is ${describe(value)}; it takes an object`);
}

function count(entry: string, value: Record<string, unknown>, field: string): number {
  const found = value[field];
  if (typeof found === "number" && Number.isSafeInteger(found) && found >= 0) return found;
  throw bad(entry, field, found, "a whole number");
}

function text(entry: string, value: Record<string, unknown>, field: string): string {
  const found = value[field];
  if (typeof found === "string" && found.length <= 200) return found;
  throw bad(entry, field, found, "a text of at most 200 characters");
}

function bad(entry: string, field: string, got: unknown, takes: string): Error {
  return archiveError(
    "BAD_FORMAT",
    "import",
    `${field} in ${entry} of the archive got ${describe(got)}; it takes ${takes}`,
  );
}
