import { describe, expect, test } from "vitest";
import { checksumOf } from "../../src/formats/lhv1-envelope.ts";
import { xxh64 } from "../../src/formats/xxh64.ts";
import { patternBytes } from "./sample-files.ts";

const hashOf = (bytes: Uint8Array): string => checksumOf(xxh64(bytes));

describe("XXH64", () => {
  test.each([
    ["", "ef46db3751d8e999"],
    ["a", "d24ec4f1a98c6e5b"],
    ["abc", "44bc2cf5ad770999"],
  ])("hashes the published text %j", (text, hash) => {
    expect(hashOf(new TextEncoder().encode(text))).toBe(hash);
  });

  // Computed with python's xxhash 4.0.1 and with xxhash-wasm 1.1.0, which agree.
  test.each([
    [1, "a96c7f0ce858bbb7"],
    [3, "bed43740ee6332bb"],
    [4, "fa212ae44b3bb23d"],
    [7, "2744460dd675d2c0"],
    [8, "994b676b71ce94dd"],
    [11, "97f078da7a1a590c"],
    [12, "b92f588ce720786e"],
    [31, "6711d55e306b5d8f"],
    [32, "07f7b8e3bc5d6e25"],
    [33, "09f85eeb4e1cbe9f"],
    [63, "b7c9968c066cb6a5"],
    [64, "50d4159a0411632e"],
    [100, "9ddada11d3dc2d8f"],
    [1000, "0bf0bdbcc82eb373"],
  ])("hashes a pattern of %i bytes", (length, hash) => {
    expect(hashOf(patternBytes(length))).toBe(hash);
  });

  test("hashes a view that begins anywhere in its buffer", () => {
    const padded = new Uint8Array(103);
    padded.set(patternBytes(100), 3);
    expect(hashOf(padded.subarray(3))).toBe("9ddada11d3dc2d8f");
  });

  test("writes a small hash with all its digits", () => {
    expect(checksumOf(0xabcn)).toBe("0000000000000abc");
  });
});
