import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore, type Store } from "../../src/node.ts";
import { type BenchContext, type Figure, quantile } from "./report.ts";

const MIB = 1024 * 1024;
const mediaType = "application/octet-stream";
/** Sizes around the bound between the database and files. */
const SMALL = [64 * 1024, 256 * 1024, MIB, MIB + 1, 4 * MIB];
const ROUNDS = 12;

/** Bytes of assets as streams: throughput, memory, and equal bytes; puts and reads around the bound of the database.
 *  LODESTORE_BENCH_ASSET_MIB: length of the stream, 256 by default. */
export async function run(context: BenchContext): Promise<void> {
  const sizeMiB = Number(process.env["LODESTORE_BENCH_ASSET_MIB"] ?? 256);
  const dir = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
  try {
    await using store = await openStore({ dir, vectors: "flat", readers: 1 });
    await streams(context, store, sizeMiB);
    await bounds(context, store);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function streams({ report, progress }: BenchContext, store: Store, sizeMiB: number): Promise<void> {
  const { documents } = store;
  const dataset = `${sizeMiB} MiB generated`;
  const tell = (figure: Pick<Figure, "case" | "metric" | "value" | "unit">): void =>
    report({ suite: "assets", dataset, ...figure });
  const rate = (name: string, { ms, grownMiB }: Measured): void => {
    tell({ case: name, metric: "throughput", value: sizeMiB / (ms / 1000), unit: "MiB/s" });
    tell({ case: name, metric: "memory grown at most", value: grownMiB, unit: "MiB" });
  };
  await documents.putAssetWithBytes({ bytes: generated(8, 1), mediaType });
  progress(`suite assets: ${dataset}`);
  let id = "";
  rate(
    "put stream",
    await measured(async () => {
      ({ id } = await documents.putAssetWithBytes({ bytes: generated(sizeMiB, 0), mediaType }));
    }),
  );
  for (const verify of [false, true]) {
    rate(
      verify ? "get stream, verified" : "get stream",
      await measured(async () => {
        let bytes = 0;
        for await (const piece of documents.getAssetStream(id, { verify })) bytes += piece.byteLength;
        if (bytes !== sizeMiB * MIB) throw new Error(`${bytes} bytes came`);
      }),
    );
  }
  rate(
    "put the same stream again",
    await measured(async () => {
      const again = await documents.putAssetWithBytes({ bytes: generated(sizeMiB, 0), mediaType });
      if (!again.deduplicated) throw new Error("the bytes were not found");
    }),
  );
  const { external } = (await store.stats()).assetStorage;
  tell({ case: "stored after two puts", metric: "bytes", value: external.bytes / MIB, unit: "MiB" });
}

/** Puts and reads in the database and in files, by size. */
async function bounds({ report }: BenchContext, { documents }: Store): Promise<void> {
  let seed = 100;
  for (const size of SMALL) {
    const puts: number[] = [];
    const gets: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = new Uint8Array(size).fill(++seed % 251);
      new DataView(bytes.buffer).setUint32(0, seed);
      const start = performance.now();
      const { id } = await documents.putAssetWithBytes({ bytes, mediaType });
      puts.push(performance.now() - start);
      const read = performance.now();
      await documents.getAssetBytes(id);
      gets.push(performance.now() - read);
    }
    const figure = { suite: "assets", case: `${size / 1024} KiB`, dataset: `${ROUNDS} each`, unit: "ms" };
    report({ ...figure, metric: "put, median", value: quantile(puts, 0.5) });
    report({ ...figure, metric: "get, median", value: quantile(gets, 0.5) });
  }
}

interface Measured {
  ms: number;
  grownMiB: number;
}

/** Runs work, and looks at the memory of the process meanwhile. */
async function measured(work: () => Promise<void>): Promise<Measured> {
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20);
  const start = performance.now();
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return { ms: performance.now() - start, grownMiB: (most - before) / MIB };
}

/** Pieces of 1 MiB that differ from each other. */
async function* generated(sizeMiB: number, seed: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let n = 0; n < sizeMiB; n++) {
    const piece = new Uint8Array(MIB).fill(n % 251);
    new DataView(piece.buffer).setUint32(4, n + seed * 100_000);
    yield piece;
  }
}
