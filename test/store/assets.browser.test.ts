import { afterEach, expect, test } from "vitest";
import { deleteStore, openStore, type Store } from "lodestore/browser";
import { assetContentHash } from "../../src/store/ids.ts";
import { isSame, patterned, pieces } from "../conformance/blob-streams.ts";

const MIB = 1024 * 1024;
const mediaType = "video/mp4";
const name = `assets-${Date.now()}`;
const open: Store[] = [];

async function opened(store = name): Promise<Store> {
  const one = await openStore({ name: store });
  open.push(one);
  return one;
}

afterEach(async () => {
  for (const store of open.splice(0)) await store.close().catch(() => undefined);
});

/** Names in a folder of the store. */
async function namesIn(...folders: string[]): Promise<string[]> {
  let folder = await navigator.storage.getDirectory();
  for (const part of [".lodestore", name, ...folders]) folder = await folder.getDirectoryHandle(part);
  const names: string[] = [];
  for await (const entry of folder.keys()) names.push(entry);
  return names.sort();
}

async function read(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of stream) parts.push(piece as Uint8Array<ArrayBuffer>);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

test("large bytes lie in files of the origin, come as a File or a stream, and are there when the store is opened again", async () => {
  const store = await opened();
  const bytes = patterned(3 * MIB + 5);
  const file = new File([bytes as Uint8Array<ArrayBuffer>], "film.mp4");
  const first = await store.documents.putAssetWithBytes({ bytes: file, mediaType });
  expect(first).toMatchObject({ contentHash: assetContentHash(bytes), deduplicated: false });
  for (const again of [file.stream(), pieces(bytes.byteLength, 2 * MIB), bytes]) {
    const put = await store.documents.putAssetWithBytes({ bytes: again, mediaType });
    expect(put.deduplicated).toBe(true);
  }
  expect(await namesIn("assets", ".aside")).toEqual([]);
  const controller = new AbortController();
  async function* cancelled(): AsyncGenerator<Uint8Array, void, undefined> {
    yield* pieces(2 * MIB, MIB);
    controller.abort();
    yield patterned(MIB);
  }
  const put = store.documents.putAssetWithBytes({ bytes: cancelled(), mediaType }, { signal: controller.signal });
  await expect(put).rejects.toMatchObject({ code: "ABORTED" });
  expect(await namesIn("assets", ".aside")).toEqual([]);
  await store.close();

  const again = await opened();
  expect(isSame(await read(again.documents.getAssetStream(first.id, { verify: true })), bytes)).toBe(true);
  expect((await read(again.documents.getAssetStream(first.id, { start: MIB, end: MIB + 7 }))).byteLength).toBe(7);
  expect((await again.stats()).assetStorage.external).toMatchObject({ assets: 1, driver: "blobs-opfs" });
  expect(await again.check({ deep: true })).toMatchObject({ ok: true });

  const other = await opened(`${name}-other`);
  await other.import(again.export());
  expect(isSame(await other.documents.getAssetBytes(first.id, { verify: true }), bytes)).toBe(true);
  for (const one of [again, other]) await one.close();
  await deleteStore({ name });
  await deleteStore({ name: `${name}-other` });
});
