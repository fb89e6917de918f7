import { expect, test, type TestContext } from "vitest";
import type { BlobReadOptions, StreamingBlobStore } from "../../src/contracts/blobs.ts";

const MIB = 1024 * 1024;
const KEY = "_assets/ab/cd/abcd";

/** Bytes that differ from place to place. */
export function patterned(size: number, from = 0): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let index = 0; index < size; index++) bytes[index] = ((from + index) * 31 + ((from + index) >> 11)) % 251;
  return bytes;
}

/** Compares without printing a million numbers when it fails. */
export function isSame(left: Uint8Array, right: Uint8Array): boolean {
  if (left.byteLength !== right.byteLength) return false;
  for (let index = 0; index < left.byteLength; index++) if (left[index] !== right[index]) return false;
  return true;
}

/** Hands out `size` patterned bytes in pieces of this length. */
export async function* pieces(size: number, length: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < size; at += length) yield patterned(Math.min(length, size - at), at);
}

/** What every blob store does that takes and hands out streams. */
export function streamingCases(store: () => StreamingBlobStore): void {
  /** Runs where the driver says that it streams. */
  const streams = (name: string, body: (blobs: StreamingBlobStore) => Promise<void>): void => {
    test(name, async (context: TestContext) => {
      const { streaming, driver } = await store().capabilities();
      if (!streaming) context.skip(`${driver} reads and writes a blob as a whole`);
      await body(store());
    });
  };

  streams("takes a stream in pieces of any length and hands out the same bytes", async (blobs) => {
    for (const [size, length] of [
      [0, 1],
      [1, 1],
      [1000, 7],
      [MIB, MIB],
      [MIB + 1, 300_000],
      [3 * MIB - 1, 2 * MIB],
    ] as const) {
      expect(await blobs.putStream(KEY, pieces(size, length))).toBe(size);
      expect(await blobs.sizeOf(KEY)).toBe(size);
      expect(isSame(await blobs.get(KEY), patterned(size))).toBe(true);
      expect(isSame(await read(blobs, KEY), patterned(size))).toBe(true);
    }
    expect(await blobs.list("_assets/ab/")).toEqual([KEY]);
  });

  streams("hands out what was put as a whole, in pieces of at most 1 MiB", async (blobs) => {
    await blobs.put(KEY, patterned(2 * MIB + 5));
    const lengths: number[] = [];
    for await (const piece of blobs.getStream(KEY)) lengths.push(piece.byteLength);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(MIB);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(2 * MIB + 5);
  });

  streams("hands out any range of a blob", async (blobs) => {
    const size = 2 * MIB + 100;
    const whole = patterned(size);
    await blobs.putStream(KEY, pieces(size, 400_000));
    const ranges: BlobReadOptions[] = [
      { start: 0, end: 0 },
      { start: 5, end: 6 },
      { end: 10 },
      { start: MIB - 3, end: MIB + 3 },
      { start: 1, end: 2 * MIB + 1 },
      { start: size - 1 },
      { start: size },
      { start: size + 10 },
      { start: 10, end: size + 10 },
    ];
    for (const range of ranges) {
      const expected = whole.slice(range.start ?? 0, range.end);
      expect({ range, same: isSame(await read(blobs, KEY, range), expected) }).toEqual({ range, same: true });
    }
  });

  streams("refuses a range that is none, a key that is none, and options it does not know", async (blobs) => {
    await blobs.put(KEY, patterned(10));
    const refusal = { code: "INVALID_INPUT", capability: "blobs", operation: "getStream" };
    for (const options of [{ start: -1 }, { start: 1.5 }, { start: 5, end: 4 }, { from: 3 }]) {
      await expect(read(blobs, KEY, options as BlobReadOptions)).rejects.toMatchObject(refusal);
    }
    await expect(read(blobs, "../x")).rejects.toMatchObject(refusal);
    await expect(blobs.putStream("a//b", pieces(10, 5))).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(blobs.putStream(KEY, 5 as unknown as AsyncIterable<Uint8Array>)).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
  });

  streams("says NOT_FOUND when it is asked for the first piece of what is not there", async (blobs) => {
    await expect(read(blobs, "absent")).rejects.toMatchObject({ code: "NOT_FOUND", operation: "getStream" });
    expect(await blobs.sizeOf("absent")).toBeUndefined();
  });

  streams("leaves what was there when a stream fails, and nothing of it", async (blobs) => {
    await blobs.put(KEY, patterned(10));
    const failure = new RangeError("the source broke");
    await expect(
      blobs.putStream(
        KEY,
        (async function* () {
          yield* pieces(MIB + 100, 100_000);
          throw failure;
        })(),
      ),
    ).rejects.toMatchObject({ code: "DRIVER" });
    await expect(
      blobs.putStream(
        KEY,
        (async function* () {
          yield patterned(5);
          yield "text" as unknown as Uint8Array;
        })(),
      ),
    ).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(await blobs.get(KEY)).toEqual(patterned(10));
    expect(await blobs.list("")).toEqual([KEY]);
  });

  streams("takes a stream that answers without a promise, and says which one throws instead", async (blobs) => {
    await blobs.putStream(KEY, answering({ done: false, value: patterned(10) }, { done: true, value: undefined }));
    expect(await blobs.get(KEY)).toEqual(patterned(10));
    const failure = new RangeError("the source broke");
    const broken = { [Symbol.asyncIterator]: () => ({ next: () => thrown(failure) }) };
    await expect(blobs.putStream("other", broken)).rejects.toMatchObject({ code: "DRIVER", cause: failure });
  });

  streams(
    "ends a put when its signal is aborted, also where the stream hangs, and closes the stream",
    async (blobs) => {
      const controller = new AbortController();
      let closed = false;
      let asked = 0;
      const hanging: AsyncIterableIterator<Uint8Array> = {
        [Symbol.asyncIterator]: () => hanging,
        next: () => {
          if (asked++ === 0) return Promise.resolve({ done: false, value: patterned(10) });
          controller.abort();
          return new Promise(() => {});
        },
        return: async () => {
          closed = true;
          return { done: true, value: undefined };
        },
      };
      await expect(blobs.putStream(KEY, hanging, { signal: controller.signal })).rejects.toMatchObject({
        code: "ABORTED",
      });
      await expect.poll(() => closed).toBe(true);
      expect(await blobs.has(KEY)).toBe(false);
      await expect(blobs.putStream(KEY, pieces(10, 5), { signal: AbortSignal.abort() })).rejects.toMatchObject({
        code: "ABORTED",
      });
      expect(await blobs.list("")).toEqual([]);
    },
  );

  streams("ends a read when its signal is aborted", async (blobs) => {
    await blobs.put(KEY, patterned(3 * MIB));
    const controller = new AbortController();
    const stream = blobs.getStream(KEY, { signal: controller.signal });
    expect((await stream.next()).done).toBe(false);
    controller.abort();
    await expect(stream.next()).rejects.toMatchObject({ code: "ABORTED" });
  });

  streams("gives a blob its key when it is written: until then nobody sees it", async (blobs) => {
    const writer = await blobs.createWriter();
    await writer.write(patterned(MIB + 7));
    await writer.write(new Uint8Array());
    await writer.write(patterned(5, MIB + 7));
    expect(await blobs.list("")).toEqual([]);
    await writer.commit(KEY);
    expect(isSame(await blobs.get(KEY), patterned(MIB + 12))).toBe(true);
    await writer.abort();
    expect(await blobs.has(KEY)).toBe(true);
    await expect(writer.write(patterned(1))).rejects.toMatchObject({ code: "TRANSACTION" });
    await expect(writer.commit("other")).rejects.toMatchObject({ code: "TRANSACTION" });
  });

  streams("drops what is aborted, and takes any number of writers beside each other", async (blobs) => {
    const [one, two, three] = await Promise.all([blobs.createWriter(), blobs.createWriter(), blobs.createWriter()]);
    await Promise.all([one.write(patterned(10)), two.write(patterned(20)), three.write(patterned(30))]);
    await two.abort();
    await two.abort();
    await expect(two.write(patterned(1))).rejects.toMatchObject({ code: "TRANSACTION" });
    await one.commit(KEY);
    await three.commit(KEY);
    expect(await blobs.get(KEY)).toEqual(patterned(30));
    expect(await blobs.list("")).toEqual([KEY]);
  });

  streams("refuses to commit to a key that is none, and takes another one then", async (blobs) => {
    const writer = await blobs.createWriter();
    await writer.write(patterned(3));
    await expect(writer.commit("a b")).rejects.toMatchObject({ code: "INVALID_INPUT", operation: "commit" });
    await writer.commit(KEY);
    expect(await blobs.get(KEY)).toEqual(patterned(3));
  });

  streams("keeps a copy of every piece: its buffer may be used again", async (blobs) => {
    const buffer = new Uint8Array(4);
    const writer = await blobs.createWriter();
    for (let n = 0; n < 5; n++) {
      buffer.fill(n);
      await writer.write(buffer);
    }
    await writer.commit(KEY);
    expect([...(await blobs.get(KEY))]).toEqual([0, 1, 2, 3, 4].flatMap((n) => [n, n, n, n]));
  });

  streams("lists sharded keys by any beginning of theirs", async (blobs) => {
    const keys = ["_assets/00/ff/00ff", "_assets/00/fe/00fe", "_assets/01/00/0100"];
    for (const key of keys) await blobs.putStream(key, pieces(10, 10));
    expect(await blobs.list("_assets/")).toEqual([...keys].sort());
    expect(await blobs.list("_assets/00/")).toEqual([...keys].sort().slice(0, 2));
    await blobs.delete(keys[0]!);
    expect(await blobs.list("_assets/00/")).toEqual(["_assets/00/fe/00fe"]);
  });
}

async function read(blobs: StreamingBlobStore, key: string, options?: BlobReadOptions): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const piece of blobs.getStream(key, options)) parts.push(piece);
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** A stream whose answers are no promises, which `for await` takes, too. */
function answering(...answers: IteratorResult<Uint8Array>[]): AsyncIterable<Uint8Array> {
  const next = (): IteratorResult<Uint8Array> => answers.shift() ?? { done: true, value: undefined };
  return { [Symbol.asyncIterator]: () => ({ next: next as unknown as AsyncIterator<Uint8Array>["next"] }) };
}

function thrown(error: Error): never {
  throw error;
}
