import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BlobStore, StreamingBlobStore } from "../../src/contracts/blobs.ts";
import { streamingCases } from "./blob-streams.ts";

/** A blob store that is opened for one test. */
export interface OpenBlobStore {
  blobs: BlobStore;
  close(): Promise<void>;
}

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

/** What every blob store does. @param open Opens an empty one. */
export function blobStoreConformance(driver: string, open: () => Promise<OpenBlobStore>): void {
  describe(`blob store ${driver}`, () => {
    let opened: OpenBlobStore;
    let blobs: BlobStore;
    beforeEach(async () => {
      opened = await open();
      blobs = opened.blobs;
    });
    afterEach(() => opened.close());

    test("returns the bytes that were put, every byte value and none at all", async () => {
      const all = Uint8Array.from({ length: 256 }, (_, value) => value);
      await blobs.put("all", all);
      await blobs.put("none", bytes());
      expect(await blobs.get("all")).toEqual(all);
      expect(await blobs.get("none")).toEqual(bytes());
      expect((await blobs.get("none")).byteLength).toBe(0);
    });

    test("returns a million bytes", async () => {
      const many = Uint8Array.from({ length: 1_000_000 }, (_, index) => index % 251);
      await blobs.put("many", many);
      expect(sameBytes(await blobs.get("many"), many)).toBe(true);
    });

    test("puts a view on part of a buffer as that part", async () => {
      await blobs.put("part", bytes(1, 2, 3, 4, 5).subarray(1, 3));
      expect(await blobs.get("part")).toEqual(bytes(2, 3));
    });

    test("replaces what was there", async () => {
      await blobs.put("a", bytes(1, 2, 3));
      await blobs.put("a", bytes(9));
      expect(await blobs.get("a")).toEqual(bytes(9));
      expect(await blobs.list("")).toEqual(["a"]);
    });

    test("keeps a copy: changing what was put or what was read changes nothing inside", async () => {
      const given = bytes(1, 2, 3);
      await blobs.put("a", given);
      given[0] = 99;
      const read = await blobs.get("a");
      expect(read).toEqual(bytes(1, 2, 3));
      read[1] = 99;
      expect(await blobs.get("a")).toEqual(bytes(1, 2, 3));
    });

    test("says NOT_FOUND for a key that was never put, and after its deletion", async () => {
      await expect(blobs.get("absent")).rejects.toMatchObject({
        code: "NOT_FOUND",
        capability: "blobs",
        operation: "get",
      });
      await blobs.put("a", bytes(1));
      await blobs.delete("a");
      await expect(blobs.get("a")).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    test("knows what it has", async () => {
      expect(await blobs.has("a")).toBe(false);
      await blobs.put("a", bytes());
      expect(await blobs.has("a")).toBe(true);
      await blobs.delete("a");
      expect(await blobs.has("a")).toBe(false);
    });

    test("deletes what is absent without an error", async () => {
      await blobs.delete("absent");
      await blobs.put("a", bytes(1));
      await blobs.delete("a");
      await blobs.delete("a");
      expect(await blobs.list("")).toEqual([]);
    });

    test("lists keys by prefix, sorted by code unit", async () => {
      const keys = ["b/2", "b/10", "b", "B/1", "a_", "b-1", "b.x", "bb", "c/z/y"];
      for (const key of keys) await blobs.put(key, bytes(1));
      expect(await blobs.list("")).toEqual([...keys].sort());
      expect(await blobs.list("b/")).toEqual(["b/10", "b/2"]);
      expect(await blobs.list("b")).toEqual(["b", "b-1", "b.x", "b/10", "b/2", "bb"]);
      expect(await blobs.list("nothing")).toEqual([]);
    });

    test("takes keys of 512 characters and every character it declares", async () => {
      const long = "k".repeat(512);
      const odd = "_assets/AZaz09._-/...x/.hidden";
      await blobs.put(long, bytes(1));
      await blobs.put(odd, bytes(2));
      expect(await blobs.get(long)).toEqual(bytes(1));
      expect(await blobs.list("_assets/")).toEqual([odd]);
      expect(await blobs.list(long)).toEqual([long]);
    });

    test.each([
      ["an empty key", ""],
      ["a key of 513 characters", "k".repeat(513)],
      ["a leading slash", "/a"],
      ["a trailing slash", "a/"],
      ["an empty segment", "a//b"],
      ["a . segment", "a/./b"],
      ["a .. segment", "a/../b"],
      ["nothing but ..", ".."],
      ["a space", "a b"],
      ["a backslash", "a\\b"],
      ["a letter outside ASCII", "ä"],
      ["a line break at its end", "a\n"],
      ["one wrong character after 500 right ones", `${"a".repeat(500)}!`],
    ])("refuses %s by name, wherever it takes a key", async (_, key) => {
      const refusal = { code: "INVALID_INPUT", capability: "blobs", message: expect.stringContaining("key") };
      await expect(blobs.put(key, bytes(1))).rejects.toMatchObject({ ...refusal, operation: "put" });
      await expect(blobs.get(key)).rejects.toMatchObject({ ...refusal, operation: "get" });
      await expect(blobs.has(key)).rejects.toMatchObject({ ...refusal, operation: "has" });
      await expect(blobs.delete(key)).rejects.toMatchObject({ ...refusal, operation: "delete" });
      expect(await blobs.list("")).toEqual([]);
    });

    test("refuses a prefix that no key can have", async () => {
      await expect(blobs.list("a b")).rejects.toMatchObject({ code: "INVALID_INPUT", operation: "list" });
    });

    test("refuses what are not bytes", async () => {
      for (const wrong of ["text", [1, 2], null, new ArrayBuffer(2), new Uint16Array(2)]) {
        await expect(blobs.put("a", wrong as unknown as Uint8Array)).rejects.toMatchObject({ code: "INVALID_INPUT" });
      }
      expect(await blobs.has("a")).toBe(false);
    });

    test("declares a driver and a limit", async () => {
      const { driver: name, maxBlobBytes } = await blobs.capabilities();
      expect(name).toMatch(/^blobs-[a-z]+$/);
      expect(maxBlobBytes).toBeGreaterThanOrEqual(16 * 1024 * 1024);
    });

    streamingCases(() => blobs as StreamingBlobStore);
  });
}

/** Compares without printing a million numbers when it fails. */
function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && left.every((value, index) => value === right[index]);
}
