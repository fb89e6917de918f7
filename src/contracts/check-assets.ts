import type { AssetSweepOptions } from "./assets.ts";
import { type ByteRange, requireByteRange } from "./check-blobs.ts";
import { MAX_ASSET_BYTES, requireMediaType } from "./check-documents.ts";
import { streamPieces } from "./stream-pieces.ts";
import {
  type CallSite,
  invalidInput,
  refusal,
  requireBoolean,
  requireBytes,
  requireInteger,
  requireObject,
  requireSignal,
} from "./validate.ts";

/** Most blobs that one sweep deletes. */
const MAX_SWEPT = 1_000_000;

/** An asset with its bytes, looked at: whole, or as an iterable whose pieces are looked at when they come. */
export interface CheckedAssetSource {
  bytes: Uint8Array | AsyncIterable<Uint8Array>;
  mediaType: string;
}

/** Checks an asset with its bytes. */
export function checkAssetWithBytes(site: CallSite, value: unknown): CheckedAssetSource {
  const asset = requireObject(site, "asset", value, ["bytes", "mediaType"]);
  const inner: CallSite = { ...site, within: "asset" };
  return { bytes: requireSource(inner, asset["bytes"]), mediaType: requireMediaType(inner, asset["mediaType"]) };
}

function requireSource(site: CallSite, value: unknown): CheckedAssetSource["bytes"] {
  const stream = streamPieces(value);
  if (stream !== undefined) return stream;
  if (value instanceof Uint8Array) return requireBytes(site, "bytes", value, MAX_ASSET_BYTES);
  const takes = `a Uint8Array of at most ${MAX_ASSET_BYTES} bytes, a Blob, a ReadableStream or an async iterable of Uint8Array`;
  throw invalidInput(site, "bytes", value, takes);
}

/** Returns the options of a whole read. */
export function checkAssetRead(site: CallSite, options: unknown): { verify: boolean } {
  const given = requireObject(site, "options", options, ["verify"]);
  return { verify: requireBoolean(site, "verify", given["verify"] ?? false) };
}

/** Returns the options of a read in pieces. */
export function checkAssetStream(
  site: CallSite,
  options: unknown,
): ByteRange & { verify: boolean; signal: AbortSignal | undefined } {
  const given = requireObject(site, "options", options, ["start", "end", "verify", "signal"]);
  const range = requireByteRange(site, given);
  const verify = requireBoolean(site, "verify", given["verify"] ?? false);
  if (verify && (range.start > 0 || Number.isFinite(range.end))) {
    throw refusal(site, "verify takes the whole asset; leave start and end out");
  }
  return { ...range, verify, signal: requireSignal(site, given) };
}

/** Returns the options of a sweep of bytes. */
export function checkAssetSweep(
  site: CallSite,
  options: unknown,
): Required<Pick<AssetSweepOptions, "dryRun" | "maxDelete">> & { signal: AbortSignal | undefined } {
  const given = requireObject(site, "options", options, ["dryRun", "maxDelete", "signal"]);
  return {
    dryRun: requireBoolean(site, "dryRun", given["dryRun"] ?? false),
    maxDelete: requireInteger(site, "maxDelete", given["maxDelete"] ?? 100_000, 1, MAX_SWEPT),
    signal: requireSignal(site, given),
  };
}
