import { expect, test } from "vitest";
import type { AssetSource, AssetStreamOptions, PutAsset } from "../../../src/contracts/assets.ts";
import type { DocumentStore } from "../../../src/contracts/documents.ts";
import { assetContentHash, assetId, documentId } from "../../../src/store/ids.ts";
import { isSame, patterned, pieces } from "../blob-streams.ts";
import { sampleDocument } from "../../support/sample-document.ts";

const MIB = 1024 * 1024;
/** Kept in the database, at its bounds, and beside it. */
const SIZES = [0, 5, MIB - 1, MIB, MIB + 1, 2 * MIB + 17];
const mediaType = "application/octet-stream";

/** What every document store does with the bytes of assets. */
export function documentAssetCases(documents: () => DocumentStore): void {
  const put = (bytes: AssetSource): Promise<PutAsset> => documents().putAssetWithBytes({ bytes, mediaType });

  async function read(id: string, options?: AssetStreamOptions): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const piece of documents().getAssetStream(id, options)) parts.push(piece);
    return new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  }

  /** Puts a document that has this asset. */
  async function document(path: string, asset: string): Promise<string> {
    const { document: sample } = sampleDocument(path, "One.");
    const { parserVersion } = sample;
    const id = documentId({ assetId: asset, parserVersion, workspacePath: path });
    return (await documents().putDocument({ ...sample, id, assetId: asset })).id;
  }

  const forms: [string, (size: number) => AssetSource][] = [
    ["bytes", (size) => patterned(size)],
    ["a Blob", (size) => new Blob([patterned(size) as Uint8Array<ArrayBuffer>])],
    ["a stream", (size) => new Blob([patterned(size) as Uint8Array<ArrayBuffer>]).stream()],
    ["an iterable of small pieces", (size) => pieces(size, 70_001)],
    ["an iterable of large pieces", (size) => pieces(size, 2 * MIB)],
  ];
  test.each(forms)("keeps %s of any size, and hands out the same bytes", async (_, form) => {
    for (const size of SIZES) {
      const bytes = patterned(size);
      const asset = await put(form(size));
      const contentHash = assetContentHash(bytes);
      expect(asset).toMatchObject({ id: assetId(contentHash), contentHash, byteLength: size, deduplicated: false });
      expect(isSame(await documents().getAssetBytes(asset.id, { verify: true }), bytes)).toBe(true);
      expect(isSame(await read(asset.id), bytes)).toBe(true);
      expect(isSame(await read(asset.id, { verify: true }), bytes)).toBe(true);
    }
  });

  test("says whether it had the bytes already, in whatever form they come", async () => {
    for (const size of SIZES) {
      expect((await put(pieces(size, 300_000))).deduplicated).toBe(false);
      for (const [, form] of forms) expect((await put(form(size))).deduplicated).toBe(true);
    }
    expect(await documents().sweepBlobs({ dryRun: true })).toMatchObject({ examined: SIZES.length, deleted: 0 });
  });

  test("keeps one of equal bytes that are put at once", async () => {
    const size = 2 * MIB;
    const assets = await Promise.all([put(pieces(size, 99_999)), put(patterned(size)), put(pieces(size, MIB))]);
    expect(assets.filter(({ deduplicated }) => !deduplicated)).toHaveLength(1);
    expect(await documents().sweepBlobs()).toMatchObject({ examined: 1, deleted: 0 });
    expect(isSame(await read(assets[0].id, { verify: true }), patterned(size))).toBe(true);
  });

  test("hands out ranges, in pieces of at most 1 MiB", async () => {
    for (const size of [1000, 3 * MIB]) {
      const whole = patterned(size);
      const { id } = await put(whole);
      const ranges = [{ start: 0, end: 0 }, { start: 3 }, { end: 7 }, { start: 10, end: 900 }, { start: size + 1 }];
      for (const range of [...ranges, { start: size >> 1, end: size + 5 }]) {
        expect(isSame(await read(id, range), whole.slice(range.start ?? 0, range.end))).toBe(true);
      }
      for await (const piece of documents().getAssetStream(id)) expect(piece.byteLength).toBeLessThanOrEqual(MIB);
    }
  });

  test("takes bytes later that are first known by their hash, however they come", async () => {
    const bytes = patterned(2 * MIB);
    const contentHash = assetContentHash(bytes);
    const known = await documents().putAsset({ contentHash, byteLength: bytes.byteLength, mediaType });
    await expect(read(known.id)).rejects.toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining("else") });
    expect(await put(pieces(bytes.byteLength, MIB))).toEqual({ ...known, deduplicated: false });
    expect(isSame(await read(known.id), bytes)).toBe(true);
  });

  test("drops the bytes with the last document that has them", async () => {
    for (const size of [100, 2 * MIB]) {
      const { id } = await put(patterned(size));
      const [one, two] = [await document("one.md", id), await document("two.md", id)];
      await documents().deleteDocument(one);
      expect((await read(id, { verify: true })).byteLength).toBe(size);
      await documents().deleteDocument(two);
      await expect(read(id)).rejects.toMatchObject({ code: "NOT_FOUND", operation: "getAssetStream" });
      expect(await documents().sweepBlobs()).toMatchObject({ examined: 0, deleted: 0, more: false });
      expect((await put(patterned(size))).deduplicated).toBe(false);
      await document("one.md", id);
      await documents().purgeOrphanAtWorkspacePath("one.md");
    }
  });

  test("puts a whole document whose bytes are large", async () => {
    const sample = sampleDocument("large.md", `One.\n\n${"word ".repeat(220_000)}`);
    const { id, assetId: asset } = await documents().putWhole(sample);
    expect(isSame(await documents().getAssetBytes(asset, { verify: true }), sample.bytes)).toBe(true);
    await documents().putWhole(sample);
    await documents().deleteDocument(id);
    expect(await documents().sweepBlobs({ dryRun: true })).toMatchObject({ examined: 0 });
  });

  test("leaves nothing of a stream that breaks, hands out no bytes or is cancelled", async () => {
    async function* broken(last: () => unknown): AsyncGenerator<Uint8Array, void, undefined> {
      yield* pieces(2 * MIB, 500_000);
      yield last() as Uint8Array;
    }
    const failing = put(
      broken(() => {
        throw new RangeError("the disk went");
      }),
    );
    await expect(failing).rejects.toMatchObject({ message: expect.stringContaining("the disk went") });
    await expect(put(broken(() => "text"))).rejects.toMatchObject({ code: "INVALID_INPUT" });
    const controller = new AbortController();
    const hanging = broken(() => {
      controller.abort();
      return new Uint8Array(1);
    });
    const cancelled = documents().putAssetWithBytes({ bytes: hanging, mediaType }, { signal: controller.signal });
    await expect(cancelled).rejects.toMatchObject({ code: "ABORTED" });
    const early = documents().putAssetWithBytes({ bytes: pieces(5, 5), mediaType }, { signal: AbortSignal.abort() });
    await expect(early).rejects.toMatchObject({ code: "ABORTED" });
    expect(await documents().sweepBlobs({ dryRun: true })).toMatchObject({ examined: 0 });
  });

  test("ends a stream when its signal is aborted, and lets one be left", async () => {
    const { id } = await put(patterned(4 * MIB));
    const controller = new AbortController();
    const stream = documents().getAssetStream(id, { signal: controller.signal });
    expect((await stream.next()).done).toBe(false);
    controller.abort();
    const rest = async (): Promise<void> => {
      for await (const piece of stream) void piece;
    };
    await expect(rest()).rejects.toMatchObject({ code: "ABORTED" });
    for await (const piece of documents().getAssetStream(id)) {
      expect(piece.byteLength).toBeGreaterThan(0);
      break;
    }
    await document("a.md", id);
    await documents().purgeOrphanAtWorkspacePath("a.md");
    expect(await documents().sweepBlobs()).toMatchObject({ examined: 0 });
  });

  test("refuses what no read, no stream and no sweep takes", async () => {
    const { id } = await put(patterned(10));
    const refusal = (operation: string): object => ({ code: "INVALID_INPUT", capability: "documents", operation });
    const streams = [{ start: -1 }, { start: 3, end: 2 }, { verify: true, start: 1 }, { verify: 1 }, { from: 1 }];
    for (const options of streams) {
      await expect(read(id, options as AssetStreamOptions)).rejects.toMatchObject(refusal("getAssetStream"));
    }
    const whole = documents().getAssetBytes(id, { verify: "yes" } as unknown as { verify: boolean });
    await expect(whole).rejects.toMatchObject(refusal("getAssetBytes"));
    for (const options of [{ maxDelete: 0 }, { dryRun: 1 }, { all: true }]) {
      await expect(documents().sweepBlobs(options as object)).rejects.toMatchObject(refusal("sweepBlobs"));
    }
    await expect(read("0".repeat(32))).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
}
