import { describe, expect, test } from "vitest";
import { StorageError } from "../../src/errors.ts";
import { decodeText } from "../../src/store/ingest/decode.ts";
import { mediaTypeOf } from "../../src/store/ingest/media-type.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("text", () => {
  test("UTF-8 is read as it stands, its byte order mark dropped", () => {
    expect(decodeText(utf8("Grüße, 世界 👋\r\n"))).toBe("Grüße, 世界 👋\r\n");
    expect(decodeText(bytes(0xef, 0xbb, 0xbf, 0x61))).toBe("a");
    expect(decodeText(bytes())).toBe("");
  });

  test("UTF-16 is read by its byte order mark", () => {
    expect(decodeText(bytes(0xff, 0xfe, 0x61, 0x00, 0x16, 0x4e))).toBe("a世");
    expect(decodeText(bytes(0xfe, 0xff, 0x00, 0x61, 0x4e, 0x16))).toBe("a世");
  });
});

describe("what is no text is refused with its reason", () => {
  test.each([
    ["Latin-1", bytes(0x61, 0xe9, 0x62), "is not UTF-8 text: invalid byte at offset 1"],
    ["a sequence cut short", bytes(0x61, 0x62, 0xe4, 0xb8), "is not UTF-8 text: invalid byte at offset 2"],
    ["an overlong sequence", bytes(0xc0, 0x80), "is not UTF-8 text: invalid byte at offset 0"],
    ["half a surrogate pair", bytes(0x61, 0xed, 0xa0, 0x80), "is not UTF-8 text: invalid byte at offset 1"],
    ["beyond Unicode", bytes(0xf4, 0x90, 0x80, 0x80), "is not UTF-8 text: invalid byte at offset 0"],
    ["a NUL byte", bytes(0x61, 0x62, 0x00, 0x63), "looks binary: NUL byte at offset 2"],
    ["UTF-32", bytes(0xff, 0xfe, 0x00, 0x00, 0x61, 0x00, 0x00, 0x00), "looks binary: NUL byte at offset 2"],
    [
      "control characters",
      Uint8Array.from({ length: 40 }, (_, i) => 1 + (i % 7)),
      "looks binary: 40 control characters",
    ],
    ["broken UTF-16", bytes(0xff, 0xfe, 0x00, 0xd8, 0x61, 0x00), "is not UTF-16LE text"],
  ])("%s", (_, input, message) => {
    const error = errorOf(() => decodeText(input));
    expect(error).toMatchObject({ code: "INVALID_INPUT", capability: "ingest", operation: "decode" });
    expect(error.message).toContain(message);
  });
});

test("the media type follows the ending of the path", () => {
  const expected = {
    "a/b.md": "text/markdown",
    "a/b.MDX": "text/markdown",
    "x.markdown": "text/markdown",
    "index.htm": "text/html",
    "notes.txt": "text/plain",
    "src/main.ts": "text/plain",
    "data.json": "text/plain",
    Makefile: "text/plain",
    LICENSE: "text/plain",
    "README.unknown": "text/plain",
    ".gitignore": "text/plain",
    "photo.png": "application/octet-stream",
    "a.md/blob": "application/octet-stream",
    none: "application/octet-stream",
  };
  for (const [path, mediaType] of Object.entries(expected))
    expect([path, mediaTypeOf(path)]).toEqual([path, mediaType]);
});

function errorOf(call: () => unknown): StorageError {
  try {
    call();
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
  throw new Error("no error");
}
