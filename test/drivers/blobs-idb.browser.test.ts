import { describe, expect, test } from "vitest";
import { openIdbBlobs } from "../../src/drivers/blobs-idb.ts";
import { blobStoreConformance } from "../conformance/blob-store.ts";
import { patterned } from "../conformance/blob-streams.ts";

let names = 0;
const freshName = (): string => `test-${Date.now()}-${names++}`;

blobStoreConformance("blobs-idb", async () => ({
  blobs: await openIdbBlobs({ name: freshName() }),
  close: async () => {},
}));

/** Number of entries in the database of these blobs. */
async function entries(name: string): Promise<number> {
  const open = indexedDB.open(`lodestore-blobs-${name}`);
  const db = await settled(open);
  const count = await settled(db.transaction("blobs").objectStore("blobs").count());
  db.close();
  return count;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("no request")));
  });
}

describe("blobs-idb", () => {
  test("removes the pieces of a blob that is replaced, deleted or aborted", async () => {
    const name = freshName();
    const blobs = await openIdbBlobs({ name });
    await blobs.put("a", patterned(3 * 1024 * 1024));
    expect(await entries(name)).toBe(4);
    await blobs.put("a", patterned(10));
    expect(await entries(name)).toBe(2);
    const writer = await blobs.createWriter();
    await writer.write(patterned(2 * 1024 * 1024));
    expect(await entries(name)).toBe(4);
    await writer.abort();
    expect(await entries(name)).toBe(2);
    await blobs.delete("a");
    expect(await entries(name)).toBe(0);
  });

  test("removes what a put left that came to no end, when it is opened again, and no more", async () => {
    const name = freshName();
    const blobs = await openIdbBlobs({ name });
    await blobs.put("a", patterned(10));
    const db = await settled(indexedDB.open(`lodestore-blobs-${name}`));
    const left = db.transaction("blobs", "readwrite").objectStore("blobs").put(patterned(5), ["piece", "left", 0]);
    await settled(left);
    db.close();
    expect(await entries(name)).toBe(3);
    const again = await openIdbBlobs({ name });
    expect(await entries(name)).toBe(2);
    expect(await again.get("a")).toEqual(patterned(10));
  });

  test("refuses a name that is none", async () => {
    await expect(openIdbBlobs({ name: "a/b" })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});
