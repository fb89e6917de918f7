import fc from "fast-check";
import { expect, test } from "vitest";
import { readEvents } from "../../demo/chat/sse.ts";
import { byteStream } from "./byte-stream.ts";

const encoder = new TextEncoder();

function read(text: string, cuts: readonly number[] = []): Promise<string[]> {
  return Array.fromAsync(readEvents(byteStream(encoder.encode(text), cuts)));
}

test("every kind of line end, comments, other fields and a byte order mark are read as the standard says", async () => {
  const text = "\uFEFF: hello\rdata: a\r\rdata:b\ndata: c\n\nevent: x\r\nid: 1\r\ndata:  d\r\n\r\nretry: 5\n\ndata\n\n";
  expect(await read(text)).toEqual(["a", "b\nc", " d", ""]);
});

test("a last event without an empty line after it counts", async () => {
  expect(await read("data: a\n\ndata: b")).toEqual(["a", "b"]);
  expect(await read("data: a\n\ndata: b\n")).toEqual(["a", "b"]);
});

test("bytes may be cut anywhere, within characters and line ends, too", async () => {
  const events = ["schön", "零一二", "🙂 [1]", '{"a":1}'];
  const end = fc.constantFrom("\n", "\r", "\r\n");
  await fc.assert(
    fc.asyncProperty(end, fc.array(fc.nat(80), { maxLength: 30 }), async (lineEnd, cuts) => {
      const text = events.map((event) => `data: ${event}${lineEnd}${lineEnd}`).join("");
      const length = encoder.encode(text).byteLength;
      const within = cuts.filter((cut) => cut <= length);
      expect(await read(text, within)).toEqual(events);
    }),
  );
});

test("a line end that is cut in two does not end the event", async () => {
  const text = "data: a\r\ndata: b\r\n\r\n";
  for (let cut = 0; cut <= text.length; cut++) expect(await read(text, [cut])).toEqual(["a\nb"]);
});

test("an event without an end is refused", async () => {
  await expect(read(`data: ${"x".repeat(1100 * 1024)}`)).rejects.toThrow("too long");
});

test("who stops reading cancels the stream", async () => {
  let isCancelled = false;
  const stream = byteStream(encoder.encode("data: a\n\ndata: b\n\n"), [9], () => {
    isCancelled = true;
  });
  for await (const event of readEvents(stream)) {
    expect(event).toBe("a");
    break;
  }
  expect(isCancelled).toBe(true);
});
