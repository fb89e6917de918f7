import { afterAll, describe, expect, test } from "vitest";
import { deleteOpfsStore } from "../../src/drivers/sql-opfs.ts";
import { connect, type Connection } from "../../src/rpc/client.ts";
import { workerEndpoint } from "../../src/rpc/endpoint.ts";
import { blobStoreConformance } from "../conformance/blob-store.ts";
import type { OpfsBlobsHost } from "./blobs-opfs-worker.ts";

let names = 0;
const freshName = (): string => `blobs-${Date.now()}-${names++}`;

let shared: Promise<Connection<OpfsBlobsHost>> | undefined;
const host = async (): Promise<Connection<OpfsBlobsHost>["proxy"]> => {
  shared ??= connect<OpfsBlobsHost>(
    workerEndpoint(new Worker(new URL("./blobs-opfs-worker.ts", import.meta.url), { type: "module" })),
  );
  return (await shared).proxy;
};

afterAll(async () => (await shared)?.terminate());

blobStoreConformance("blobs-opfs, in a worker", async () => {
  const name = freshName();
  return { blobs: await (await host()).open(name), close: () => deleteOpfsStore(name) };
});

describe("blobs-opfs", () => {
  const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
  const old = bytes(1, 2, 3);
  const fresh = bytes(4, 5, 6, 7);

  /** A store with the files that a crash in the middle of the second put may leave: the old slot whole, the new one as given. */
  async function interrupted(
    damage: (slot: Uint8Array) => Uint8Array,
  ): Promise<{ name: string; get: () => Promise<Uint8Array> }> {
    const name = freshName();
    const at = await host();
    const blobs = await at.open(name);
    await blobs.put("x", old);
    const first = await at.read(`.lodestore/${name}/blobs/=x.0`);
    await blobs.put("x", fresh);
    const second = await at.read(`.lodestore/${name}/blobs/=x.1`);
    await at.write(`.lodestore/${name}/blobs/=x.0`, first);
    await at.write(`.lodestore/${name}/blobs/=x.1`, damage(second));
    return { name, get: () => blobs.get("x") };
  }

  test("gives the space of the older slot back", async () => {
    const name = freshName();
    const blobs = await (await host()).open(name);
    for (let n = 0; n < 5; n++) await blobs.put("x", bytes(n));
    expect(await (await host()).files(name)).toEqual(["=x.0"]);
    expect(await blobs.get("x")).toEqual(bytes(4));
    await deleteOpfsStore(name);
  });

  test("serves the newer slot when both are whole", async () => {
    const { name, get } = await interrupted((slot) => slot);
    expect(await get()).toEqual(fresh);
    await deleteOpfsStore(name);
  });

  test("serves the older slot wherever the newer was cut off, and whichever byte of its header is wrong", async () => {
    for (let length = 0; length < 32 + fresh.length; length += 3) {
      const { name, get } = await interrupted((slot) => slot.slice(0, length));
      expect(await get(), `cut off at ${length}`).toEqual(old);
      await deleteOpfsStore(name);
    }
    for (let at = 0; at < 32; at += 5) {
      const { name, get } = await interrupted((slot) => slot.map((byte, i) => (i === at ? byte ^ 1 : byte)));
      expect(await get(), `byte ${at}`).toEqual(old);
      await deleteOpfsStore(name);
    }
  });

  test("says CORRUPT where no slot is whole, and takes a new put", async () => {
    const { name, get } = await interrupted((slot) => slot.slice(0, 10));
    const at = await host();
    await at.write(`.lodestore/${name}/blobs/=x.0`, bytes(1));
    await expect(get()).rejects.toMatchObject({ code: "CORRUPT", capability: "blobs" });
    const blobs = await at.open(name);
    expect(await blobs.has("x")).toBe(false);
    expect(await blobs.list("")).toEqual([]);
    await blobs.put("x", fresh);
    expect(await blobs.get("x")).toEqual(fresh);
    await deleteOpfsStore(name);
  });

  test("runs operations on one key one after the other", async () => {
    const name = freshName();
    const blobs = await (await host()).open(name);
    const puts = Array.from({ length: 20 }, (_, n) => blobs.put("x", new Uint8Array(1000).fill(n)));
    const reads = await Promise.all([...puts.map(() => blobs.has("x")), ...puts]);
    expect(reads).toHaveLength(40);
    expect((await blobs.get("x"))[0]).toBe(19);
    await deleteOpfsStore(name);
  });
});
