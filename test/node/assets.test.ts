import { openAsBlob, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { assetContentHash } from "../../src/store/ids.ts";
import { isSame, patterned, pieces } from "../conformance/blob-streams.ts";
import { archiveOf, inPieces } from "../support/archives.ts";
import { openNodeStore, storeFolder } from "../support/open-node-store.ts";

const MIB = 1024 * 1024;
const mediaType = "application/octet-stream";

async function read(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const piece of stream) parts.push(piece);
  return new Uint8Array(Buffer.concat(parts));
}

test("large bytes lie in files beside the database, come from a file, a stream or a blob, and are read in another thread", async () => {
  const dir = storeFolder();
  const store = await openNodeStore({ dir, readers: 1 });
  expect(readdirSync(dir)).not.toContain("assets");
  const bytes = patterned(3 * MIB);
  writeFileSync(join(dir, "source.bin"), bytes);
  const { documents } = store;
  const first = await documents.putAssetWithBytes({ bytes: await openAsBlob(join(dir, "source.bin")), mediaType });
  expect(first).toMatchObject({ deduplicated: false, byteLength: 3 * MIB, contentHash: assetContentHash(bytes) });
  for (const again of [new Blob([bytes as Uint8Array<ArrayBuffer>]), pieces(3 * MIB, 5 * MIB), bytes]) {
    expect(await documents.putAssetWithBytes({ bytes: again, mediaType })).toMatchObject({ deduplicated: true });
  }
  expect(readdirSync(join(dir, "assets"))).toEqual(["+_assets"]);
  expect(isSame(await read(documents.getAssetStream(first.id, { verify: true })), bytes)).toBe(true);
  expect((await read(documents.getAssetStream(first.id, { start: MIB, end: MIB + 5 }))).byteLength).toBe(5);
  const { assetStorage } = await store.stats();
  expect(assetStorage.external).toEqual({ assets: 1, bytes: 3 * MIB, driver: "blobs-fs" });
  // A reader of another opening, which writes nothing.
  const reader = await openNodeStore({ dir, readOnly: true });
  expect(isSame(await reader.documents.getAssetBytes(first.id, { verify: true }), bytes)).toBe(true);
  await expect(reader.documents.putAssetWithBytes({ bytes: pieces(2 * MIB, MIB), mediaType })).rejects.toMatchObject({
    code: "UNSUPPORTED",
  });
  expect(await reader.check()).toMatchObject({ ok: true });
});

test("an archive that another thread makes has what is deleted meanwhile", async () => {
  const store = await openNodeStore({ readers: 1 });
  const text = "word ".repeat(230_000);
  await store.ingest({ path: "large.md", content: text }, { embed: "off" });
  const stream = store.export();
  const first = (await stream.next()).value as Uint8Array;
  const { id, assetId } = (await store.documents.getDocumentByWorkspacePath("large.md"))!;
  await store.documents.deleteDocument(id);
  const archive = new Uint8Array(Buffer.concat([first, await read(stream)]));
  expect(await store.documents.sweepBlobs()).toMatchObject({ examined: 0 });
  const target = await openNodeStore({ readers: 0 });
  await target.import(inPieces(archive));
  expect(new TextDecoder().decode(await target.documents.getAssetBytes(assetId, { verify: true }))).toBe(text);
  expect((await archiveOf(target)).byteLength).toBeGreaterThan(text.length);
});

test("a put that is cancelled leaves no file behind", async () => {
  const dir = storeFolder();
  const store = await openNodeStore({ dir, readers: 0 });
  const controller = new AbortController();
  async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let n = 0; ; n++) {
      if (n === 6) controller.abort();
      yield patterned(MIB);
    }
  }
  const put = store.documents.putAssetWithBytes({ bytes: endless(), mediaType }, { signal: controller.signal });
  await expect(put).rejects.toMatchObject({ code: "ABORTED" });
  expect(readdirSync(join(dir, "assets"))).toEqual([]);
  expect(await store.documents.sweepBlobs()).toMatchObject({ examined: 0 });
});
