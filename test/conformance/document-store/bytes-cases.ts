import { expect, test } from "vitest";
import type { DocumentStore } from "../../../src/contracts/documents.ts";

const MIB = 1024 * 1024;

function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

const repeated = (text: string, length: number): Uint8Array =>
  new TextEncoder().encode(text.repeat(Math.ceil(length / text.length))).slice(0, length);

/** Without a line of output for every byte that differs. */
const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at]);

/** Bytes come back as they were put, however the store keeps them. */
export function documentBytesCases(documents: () => DocumentStore): void {
  test.each([
    ["no bytes", new Uint8Array(0), "text/plain"],
    ["one byte", new Uint8Array([0]), "text/plain"],
    ["text", repeated("All of it melts. ", 5000), "text/markdown"],
    ["much text", repeated("All of it melts. ", 2 * MIB + 5), "text/markdown"],
    ["noise", noise(5000), "application/octet-stream"],
    ["much noise", noise(MIB + 3), "application/octet-stream"],
    ["text under the name of an image", repeated("All of it melts. ", 5000), "image/png"],
    ["noise with text behind it", new Uint8Array([...noise(5000), ...repeated("melts ", 90_000)]), "text/plain"],
  ])("gives %s back as they were put, and counts their length", async (_, bytes, mediaType) => {
    const copy = bytes.slice();
    const { deduplicated, ...asset } = await documents().putAssetWithBytes({ bytes, mediaType });
    expect(asset).toMatchObject({ byteLength: copy.byteLength, mediaType });
    expect(deduplicated).toBe(false);
    expect(await documents().getAsset(asset.id)).toEqual(asset);
    expect(isSame(await documents().getAssetBytes(asset.id), copy)).toBe(true);
    const again = await documents().putAssetWithBytes({ bytes: copy, mediaType });
    expect(again).toEqual({ ...asset, deduplicated: true });
    expect(isSame(await documents().getAssetBytes(asset.id), copy)).toBe(true);
  });
}
