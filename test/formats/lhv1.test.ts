import { describe, expect, test } from "vitest";
import { MAX_ENVELOPE_BYTES, readLhv1, writeLhv1 } from "../../src/formats/lhv1.ts";
import { fromHex } from "./sample-files.ts";

const BAD_FORMAT = { name: "StorageError", code: "BAD_FORMAT", capability: "vectors", operation: "readLhv1" };

/** Returns a file with these bytes as its envelope. @param length What the file says of them. */
function framed(envelope: Uint8Array, length = envelope.length): Uint8Array {
  const file = new Uint8Array(8 + envelope.length);
  file.set(fromHex("4c485631"));
  new DataView(file.buffer).setUint32(4, length, false);
  file.set(envelope, 8);
  return file;
}

function refusal(bytes: Uint8Array): unknown {
  try {
    readLhv1(bytes);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("LHV1 framing", () => {
  test("is the magic, a big-endian length, the envelope, the graph", () => {
    const file = writeLhv1({ v: 1 }, [fromHex("aabb"), fromHex(""), fromHex("cc")]);
    expect(file).toEqual(fromHex("4c485631 00000007 7b2276223a317d aabbcc"));
  });

  test("comes back as it was written, the graph as a view", () => {
    const file = writeLhv1({ name: "é", list: [1] }, [fromHex("0102"), fromHex("03")]);
    const { envelope, graph } = readLhv1(file);
    expect(envelope).toEqual({ name: "é", list: [1] });
    expect(graph).toEqual(fromHex("010203"));
    expect(graph.buffer).toBe(file.buffer);
  });

  test("is read from the middle of a buffer", () => {
    const file = writeLhv1({}, [fromHex("09")]);
    const padded = new Uint8Array(file.length + 5);
    padded.set(file, 3);
    expect(readLhv1(padded.subarray(3, 3 + file.length))).toEqual({ envelope: {}, graph: fromHex("09") });
  });

  test("may have no graph", () => {
    expect(readLhv1(writeLhv1({}, [])).graph).toHaveLength(0);
  });

  test.each([
    ["nothing", fromHex("")],
    ["a header that is cut", fromHex("4c485631000000")],
    ["another magic", fromHex("4c485632 00000002 7b7d")],
    ["an envelope longer than the bytes left", framed(fromHex("7b7d"), 3)],
    ["an envelope of 4 GiB", framed(fromHex("7b7d"), 0xffffffff)],
    ["a little-endian length", framed(fromHex("7b7d"), 0x02000000)],
    ["an empty envelope", framed(fromHex(""))],
    ["JSON that breaks off", framed(fromHex("7b"))],
    ["an envelope that is not UTF-8", framed(fromHex("7b22ff223a317d"))],
    ["a byte order mark", framed(fromHex("efbbbf7b7d"))],
    ["a list", framed(fromHex("5b5d"))],
    ["null", framed(fromHex("6e756c6c"))],
    ["a number", framed(fromHex("31"))],
  ])("refuses %s", (_, bytes) => {
    expect(refusal(bytes)).toMatchObject(BAD_FORMAT);
  });

  test("takes an envelope of 1 MiB and refuses one byte more, on both sides", () => {
    const envelope = { text: "x".repeat(MAX_ENVELOPE_BYTES - '{"text":""}'.length) };
    const file = writeLhv1(envelope, []);
    expect(readLhv1(file).envelope).toEqual(envelope);
    const longer = { text: `${envelope.text}x` };
    expect(() => writeLhv1(longer, [])).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
    expect(refusal(framed(new TextEncoder().encode(JSON.stringify(longer))))).toMatchObject(BAD_FORMAT);
  });

  test("refuses an envelope that is nested too deep for whoever reads it on", () => {
    const nested = (levels: number): Uint8Array =>
      framed(new TextEncoder().encode(`{"a":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)},"b":"[\\"[["}`));
    expect(readLhv1(nested(64)).envelope).toMatchObject({ b: '["[[' });
    expect(refusal(nested(65))).toMatchObject({ ...BAD_FORMAT, message: expect.stringContaining("64 levels") });
    expect(refusal(nested(200_000))).toMatchObject(BAD_FORMAT);
  });

  test("refuses to write a list as an envelope", () => {
    expect(() => writeLhv1([], [])).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  });

  test("keeps what the platform threw as the cause", () => {
    expect(refusal(framed(fromHex("7b")))).toMatchObject({ cause: expect.any(SyntaxError) });
    expect(refusal(framed(fromHex("ff")))).toMatchObject({ cause: expect.any(TypeError) });
  });
});
