import { mkdtempSync, openAsBlob, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ChunkVector } from "../../src/contracts/embeddings.ts";
import type { IngestFile, Store } from "../../src/contracts/store.ts";
import { connect } from "../../src/rpc/client.ts";
import { type Endpoint, portEndpoint } from "../../src/rpc/endpoint.ts";
import { heavyCalls } from "../../src/rpc/heavy-calls.ts";
import { PIECE } from "../../src/rpc/in-pieces.ts";
import { Lane } from "../../src/rpc/lane.ts";
import { NO_INDEXES } from "../../src/rpc/no-indexes.ts";
import { serve } from "../../src/rpc/server.ts";
import type { StoreThread } from "../../src/rpc/store-thread.ts";
import { ThreadedStore } from "../../src/rpc/threaded-store.ts";
import { openEmbeddingStore } from "../support/open-embedding-store.ts";
import { flatVectors } from "../support/vector-stores.ts";

const DIMENSIONS = 64;
const GENERATION = { modelId: "own", modelVersion: "1", dimensions: DIMENSIONS } as const;
/** What a message may hold beside the one file or record that fills it: the weight of a batch, and what is small in it. */
const MOST_BYTES = 1.5 * 2 ** 20;

/** A store behind a port that is looked at: whatever the caller sends in one message keeps his event loop at one go. */
async function storeBehindPort(): Promise<{ store: ThreadedStore; local: Store; sent: number[]; moved: number[] }> {
  const { store: local } = await openEmbeddingStore({ vectors: flatVectors });
  const { port1, port2 } = new MessageChannel();
  const sent: number[] = [];
  const moved: number[] = [];
  const watched: Endpoint = {
    ...portEndpoint(port1),
    postMessage: (message, transfer) => {
      sent.push(copiedBytes(message, new Set(transfer)));
      moved.push(...transfer.map((one) => (one as ArrayBuffer).byteLength));
      port1.postMessage(message, transfer);
    },
  };
  const part = { store: local, heavy: heavyCalls(local), indexes: NO_INDEXES } as unknown as StoreThread;
  serve(portEndpoint(port2), part);
  const connection = await connect<StoreThread>(watched);
  const thread = { connection, ref: () => undefined, unref: () => undefined, ended: Promise.resolve() };
  const writer = new Lane(thread);
  const store = new ThreadedStore({ writer, readers: undefined, indexesIn: "writer", release: async () => undefined });
  onTestFinished(() => store.close());
  return { store, local, sent, moved };
}

/** Bytes that cloning a message copies: of each buffer all, whatever the view of it; two of a character. */
function copiedBytes(value: unknown, seen: Set<unknown>): number {
  if (typeof value === "string") return 2 * value.length;
  if (typeof value !== "object" || value === null || seen.has(value)) return 0;
  seen.add(value);
  if (ArrayBuffer.isView(value)) return copiedBytes(value.buffer, seen);
  if (value instanceof ArrayBuffer) return value.byteLength;
  return Object.values(value).reduce<number>((sum, one) => sum + copiedBytes(one, seen), 0);
}

async function chunksOf(store: Store, count: number): Promise<string[]> {
  const files = Array.from({ length: count }, (_, n) => ({ path: `${n}.md`, content: `# ${n}\n\nText ${n}.\n` }));
  await store.ingest(files, { embed: "off" });
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const document = await store.documents.getDocumentByWorkspacePath(`${n}.md`);
    ids.push(...(await store.documents.getChunksOf(document?.id ?? "")).map(({ id }) => id));
  }
  return ids;
}

/** Vectors that are views of one buffer, as a program has them that computes them together. */
function together(chunkIds: readonly string[], dimensions: number = DIMENSIONS): ChunkVector[] {
  const all = new Float32Array(chunkIds.length * dimensions).map((_, at) => Math.sin(at + 1));
  return chunkIds.map((chunkId, at) => ({
    chunkId,
    vector: all.subarray(at * dimensions, (at + 1) * dimensions),
  }));
}

function unknownChunks(count: number): string[] {
  return Array.from({ length: count }, (_, n) => n.toString(16).padStart(32, "0"));
}

describe("vectors of the caller", () => {
  test("are sent in messages of bounded size, and stored as they were", async () => {
    const { store, local, sent } = await storeBehindPort();
    const ids = await chunksOf(local, 300);
    const records = together(ids);
    const big = { ...GENERATION, modelId: "big", dimensions: 4096 };
    const unknown = unknownChunks(700);
    expect(await store.embeddings.put(big, together(unknown, 4096))).toEqual({ stored: 0, unknown });
    expect(await store.embeddings.put(GENERATION, records)).toEqual({ stored: 300, unknown: [] });
    expect(Math.max(...sent)).toBeLessThan(MOST_BYTES);
    for (const { chunkId, vector } of records.slice(0, 20)) {
      const { hits } = await store.search({ text: "", mode: "vector", vector, modelId: "own", k: 1 });
      expect(hits[0]?.chunkId).toBe(chunkId);
    }
  });

  test("are refused as a whole where the last of them is wrong, and named by its place", async () => {
    const { store, local } = await storeBehindPort();
    const records = together(await chunksOf(local, 40));
    for (const [wrong, field] of [
      [{ chunkId: records[39]?.chunkId ?? "", vector: new Float32Array(3) }, "records[39].vector.length"],
      [
        { chunkId: records[39]?.chunkId ?? "", vector: new Float32Array(DIMENSIONS).fill(Number.NaN) },
        "records[39].vector[0]",
      ],
      [records[0], "records[39].chunkId"],
      [null, "records[39]"],
      [{ chunkId: "x", vector: [1] }, "records[39].chunkId"],
    ] as const) {
      await expect(store.embeddings.put(GENERATION, [...records.slice(0, 39), wrong as never])).rejects.toMatchObject({
        code: "INVALID_INPUT",
        message: expect.stringContaining(field) as string,
      });
    }
    await expect(store.embeddings.put(GENERATION, "all" as never)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    const tooMany = new Array<ChunkVector>(10_001).fill(records[0] as ChunkVector);
    await expect(store.embeddings.put(GENERATION, tooMany)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect((await store.embeddings.status()).generations).toEqual([]);
  });

  test("are those of the list as it was given, whatever becomes of it", async () => {
    const { store, local } = await storeBehindPort();
    const records = together(await chunksOf(local, 30));
    const put = store.embeddings.put(GENERATION, records);
    records.length = 0;
    expect(await put).toEqual({ stored: 30, unknown: [] });
  });

  test("are not written where the call is aborted while they are sent", async () => {
    const { store, local, sent } = await storeBehindPort();
    const records = together(await chunksOf(local, 300));
    const stop = new AbortController();
    const before = sent.length;
    const put = store.embeddings.put(GENERATION, records, { signal: stop.signal });
    await expect.poll(() => sent.length, { interval: 0 }).toBeGreaterThan(before + 1);
    stop.abort();
    await expect(put).rejects.toMatchObject({ code: "ABORTED" });
    expect((await store.embeddings.status()).generations).toEqual([]);
    await expect(store.embeddings.put(GENERATION, [], { signal: "soon" as never })).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
  });

  test("are refused with CLOSED where the store is closed while they are sent", async () => {
    const { store } = await storeBehindPort();
    const put = store.embeddings.put({ ...GENERATION, dimensions: 4096 }, together(unknownChunks(2000), 4096));
    const outcome = put.catch((error: unknown) => error);
    await store.close();
    expect(await outcome).toMatchObject({ code: "CLOSED" });
  });
});

describe("a large file", () => {
  const text = "Wörter und 窯 🪔. ".repeat(Math.ceil((1.5 * PIECE) / 17));
  const bytes = new TextEncoder().encode(text);

  test("of every kind is moved, and never copied at one go", async () => {
    const { store, sent, moved } = await storeBehindPort();
    const dir = mkdtempSync(join(tmpdir(), "lodestore-heavy-"));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    writeFileSync(join(dir, "text.txt"), bytes);
    const around = new Uint8Array(bytes.byteLength + 2 * 2 ** 20);
    around.set(bytes, 9);
    const files: IngestFile[] = [
      { path: "string.txt", content: text },
      { path: "bytes.txt", content: bytes },
      { path: "view.txt", content: around.subarray(9, 9 + bytes.byteLength) },
      { path: "function.txt", content: async () => bytes },
      { path: "file.txt", content: await openAsBlob(join(dir, "text.txt")) },
    ];
    const report = await store.ingest(files, { embed: "off" });
    expect(report).toMatchObject({ added: 5, failures: [] });
    expect(Math.max(...sent)).toBeLessThan(PIECE);
    expect(moved).toEqual(files.map(() => bytes.byteLength));
    // The caller's are the caller's still.
    expect(bytes.byteLength).toBeGreaterThan(PIECE);
    for (const { path } of files) {
      const { assetId = "" } = (await store.documents.getDocumentByWorkspacePath(path)) ?? {};
      expect(Buffer.compare(await store.documents.getAssetBytes(assetId), bytes)).toBe(0);
    }
  });

  test("is refused by its size, and one that cannot be read by its reason", async () => {
    const { store, moved } = await storeBehindPort();
    const { failures } = await store.ingest(
      [
        { path: "large.txt", content: bytes },
        { path: "long.txt", content: text },
        {
          path: "gone.txt",
          content: async () => {
            throw new Error("the disk is gone");
          },
        },
        { path: "none.txt", content: (async () => 5) as never },
      ],
      { embed: "off", maxFileBytes: PIECE },
    );
    expect(failures.map(({ path, reason }) => [path, reason])).toEqual([
      ["large.txt", expect.stringContaining("maxFileBytes")],
      ["long.txt", expect.stringContaining("maxFileBytes")],
      ["gone.txt", expect.stringContaining("the disk is gone")],
      ["none.txt", expect.stringContaining("content is neither")],
    ]);
    // Bytes tell their size before they are read.
    expect(moved).toHaveLength(1);
  });

  test("that is read as a whole does not go with each of its parts", async () => {
    const { store, sent } = await storeBehindPort();
    const parts = Array.from({ length: 20 }, (_, n) => ({
      path: `${n}.txt`,
      content: bytes.subarray(10 * n, 10 * n + 9),
    }));
    await store.ingest(parts, { embed: "off" });
    expect(Math.max(...sent)).toBeLessThan(PIECE);
  });
});
