import { describe, expect, test } from "vitest";
import { deleteIdbBlobs, openIdbBlobs } from "../../src/blobs-idb.ts";
import type { Store } from "../../src/contracts/store.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlMemory } from "../../src/drivers/sql-memory.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
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

  test("are deleted whole, also while they are open, and made anew", async () => {
    const name = freshName();
    await deleteIdbBlobs({ name });
    const blobs = await openIdbBlobs({ name });
    await blobs.put("a", patterned(10));
    await deleteIdbBlobs({ name });
    await expect(blobs.get("a")).rejects.toMatchObject({ code: "DRIVER" });
    const again = await openIdbBlobs({ name });
    expect(await again.list("")).toEqual([]);
    await again.put("a", patterned(10));
    expect(await again.get("a")).toEqual(patterned(10));
  });

  test("keep an archive of a store, and another store is made of it", async () => {
    const open = async (): Promise<Store> => {
      const db = await openSqlMemory({ functions: storeFunctions });
      return createStore({ db, blobs: new SqlBlobStore(db) });
    };
    await using store = await open();
    await store.ingest({ path: "kiln.md", content: "# Kilns\n\nThey burn." });
    const files = await openIdbBlobs({ name: freshName() });
    await files.putStream("notes.tar", store.export());
    await using copy = await open();
    await copy.import(files.getStream("notes.tar"));
    expect((await copy.search({ text: "burn" })).hits).toHaveLength(1);
  });

  test.each([undefined, {}, { name: "" }, { name: "a/b" }, { name: 5 }, { name: "a", folder: "b" }])(
    "refuses %j, to open and to delete",
    async (options) => {
      const refused = { code: "INVALID_INPUT", capability: "blobs" };
      await expect(openIdbBlobs(options as never)).rejects.toMatchObject(refused);
      await expect(deleteIdbBlobs(options as never)).rejects.toMatchObject(refused);
    },
  );
});
