import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, test, vi } from "vitest";
import { packBytes, unpackBytes } from "../../src/store/compression/packed-bytes.ts";

const MIB = 1024 * 1024;
const text = (length: number): Uint8Array =>
  new TextEncoder().encode("A line of a document. ".repeat(length / 22 + 1)).slice(0, length);

function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

afterEach(() => vi.unstubAllGlobals());

describe("packing bytes", () => {
  test.each([
    ["a document", text(5000)],
    ["several slices", text(3 * MIB + 17)],
    ["noise with much text behind it", new Uint8Array([...noise(MIB / 8), ...text(MIB)])],
  ])("makes a gzip member of %s, which other programs read, and gives them back", async (_, bytes) => {
    const packed = await packBytes(bytes, "text/markdown");
    expect(packed).toMatchObject({ codec: "gzip", byteLength: bytes.byteLength });
    expect(packed.bytes.byteLength).toBeLessThanOrEqual(bytes.byteLength * 0.9);
    expect(gunzipSync(packed.bytes).equals(bytes)).toBe(true);
    expect(Buffer.from(await unpackBytes(packed, "they")).equals(bytes)).toBe(true);
  });

  test.each([
    ["no bytes", new Uint8Array(0), "text/plain"],
    ["few bytes", text(127), "text/plain"],
    ["noise", noise(5000), "application/octet-stream"],
    ["much noise", noise(2 * MIB), "application/octet-stream"],
    ["an image", text(5000), "image/png"],
    ["a film", text(5000), "video/mp4"],
    ["an office document", text(5000), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
  ])("leaves %s as they are", async (_, bytes, mediaType) => {
    const packed = await packBytes(bytes, mediaType);
    expect(packed).toEqual({ codec: "none", bytes, byteLength: bytes.byteLength });
    expect(await unpackBytes(packed, "they")).toBe(bytes);
  });

  test("packs a drawing and a bitmap, which are no compressed images", async () => {
    for (const mediaType of ["image/svg+xml", "image/bmp"])
      expect((await packBytes(text(500), mediaType)).codec).toBe("gzip");
  });

  test("leaves bytes as they are where the platform has no CompressionStream, and says so of packed ones", async () => {
    const packed = await packBytes(text(500), "text/plain");
    vi.stubGlobal("CompressionStream", undefined);
    vi.stubGlobal("DecompressionStream", undefined);
    expect((await packBytes(text(500), "text/plain")).codec).toBe("none");
    await expect(unpackBytes(packed, "they")).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });
});

describe("unpacking bytes that are damaged", () => {
  const good = new Uint8Array(gzipSync(noise(300)));

  test("finds every single bit of a member that is turned", async () => {
    const bytes = new Uint8Array(gzipSync(text(60)));
    let passed = 0;
    for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      try {
        expect(
          Buffer.from(await unpackBytes({ codec: "gzip", bytes: damaged, byteLength: 60 }, "they")).equals(text(60)),
        ).toBe(true);
        passed++;
      } catch (error) {
        expect(error).toMatchObject({ code: "CORRUPT" });
      }
    }
    // Time, extra flags, system and free bits of the header say nothing of the bytes, nor do the last bits that fill a byte.
    expect(passed).toBeLessThanOrEqual(8 * 6 + 4 + 7);
  });

  test.each([
    ["cut off", good.slice(0, -1)],
    ["empty", new Uint8Array(0)],
    ["followed by more", new Uint8Array([...good, 1, 2, 3])],
    ["no member", noise(300)],
  ])("is CORRUPT where they are %s", async (_, bytes) => {
    await expect(unpackBytes({ codec: "gzip", bytes, byteLength: 300 }, "they")).rejects.toMatchObject({
      code: "CORRUPT",
    });
  });

  test("is CORRUPT where they are longer or shorter than they were, or packed in no known way", async () => {
    for (const byteLength of [299, 301, 0]) {
      await expect(unpackBytes({ codec: "gzip", bytes: good, byteLength }, "they")).rejects.toMatchObject({
        code: "CORRUPT",
      });
    }
    const foreign = { codec: "brotli" as "gzip", bytes: good, byteLength: 300 };
    await expect(unpackBytes(foreign, "they")).rejects.toMatchObject({
      code: "CORRUPT",
      message: expect.stringContaining("brotli"),
    });
    await expect(unpackBytes({ codec: "none", bytes: good, byteLength: 3 }, "they")).rejects.toMatchObject({
      code: "CORRUPT",
    });
  });

  test("takes no more out of a bomb than the bytes were long", async () => {
    const bomb = new Uint8Array(gzipSync(new Uint8Array(256 * MIB)));
    const taken = countBytes();
    await expect(unpackBytes({ codec: "gzip", bytes: bomb, byteLength: MIB }, "they")).rejects.toMatchObject({
      code: "CORRUPT",
    });
    expect(taken()).toBeGreaterThan(MIB);
    expect(taken()).toBeLessThan(8 * MIB);
  });
});

/** Counts the bytes that come out of streams of the platform. */
function countBytes(): () => number {
  let bytes = 0;
  const Platform = DecompressionStream;
  vi.stubGlobal(
    "DecompressionStream",
    class {
      readonly readable: ReadableStream<Uint8Array>;
      readonly writable: WritableStream<BufferSource>;
      constructor(format: CompressionFormat) {
        const stream = new Platform(format);
        this.writable = stream.writable;
        const counter = new TransformStream<Uint8Array, Uint8Array>({
          transform(chunk, controller) {
            bytes += chunk.byteLength;
            controller.enqueue(chunk);
          },
        });
        this.readable = (stream.readable as ReadableStream<Uint8Array>).pipeThrough(counter);
      }
    },
  );
  return () => bytes;
}
