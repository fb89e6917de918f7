import { describe, expect, test } from "vitest";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { blobStoreConformance } from "../conformance/blob-store.ts";
import { sqlDatabases } from "../support/sql-databases.ts";

for (const { driver, open } of sqlDatabases) {
  blobStoreConformance(`blobs-sql on ${driver}`, async () => {
    const db = await open();
    return { blobs: new SqlBlobStore(db), close: () => db.close() };
  });

  describe(`blobs-sql on ${driver}`, () => {
    test("undoes a put and a delete with the transaction they are in", async () => {
      await using db = await open();
      const blobs = new SqlBlobStore(db);
      await blobs.put("stays", new Uint8Array([1]));
      const undone = db.transaction(async (tx) => {
        await blobs.over(tx).put("goes", new Uint8Array([2]));
        await blobs.over(tx).delete("stays");
        expect(await blobs.over(tx).list("")).toEqual(["goes"]);
        throw new Error("undo");
      });
      await expect(undone).rejects.toThrow("undo");
      expect(await blobs.list("")).toEqual(["stays"]);
      expect(await blobs.get("stays")).toEqual(new Uint8Array([1]));
    });

    test("says CORRUPT for bytes that are not as long as recorded", async () => {
      await using db = await open();
      const blobs = new SqlBlobStore(db);
      await blobs.put("a", new Uint8Array([1, 2, 3]));
      await db.run("UPDATE blobs SET bytes = $1", [new Uint8Array([1, 2])]);
      await expect(blobs.get("a")).rejects.toMatchObject({ code: "CORRUPT" });
      await db.run("UPDATE blobs SET bytes = 'abc'");
      await expect(blobs.get("a")).rejects.toMatchObject({ code: "CORRUPT" });
    });

    test("says CLOSED after its database is closed", async () => {
      const db = await open();
      const blobs = new SqlBlobStore(db);
      await db.close();
      await expect(blobs.put("a", new Uint8Array([1]))).rejects.toMatchObject({ code: "CLOSED" });
      await expect(blobs.get("a")).rejects.toMatchObject({ code: "CLOSED" });
    });
  });
}
