import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { VectorOpenReport } from "../../src/contracts/vectors.ts";
import { FsBlobStore } from "../../src/drivers/blobs-fs.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { readLhv1, writeLhv1 } from "../../src/formats/lhv1.ts";
import { writeCoderHnsw } from "../formats/coder-hnsw-writer.ts";
import { resigned, SnapshotCase } from "../support/snapshot-store-case.ts";
import { sqlDatabases } from "../support/sql-databases.ts";
import { Random } from "../wasm/random.ts";

/** Damaged snapshots of each kind: more in `LODESTORE_FUZZ_FLIPS=5000 npx vitest run test/drivers/vectors-snapshot-damage.test.ts`. */
const FLIPS = Number(process.env["LODESTORE_FUZZ_FLIPS"] ?? 120);
/** A multiple of 8: no part is followed by padding. */
const COUNT = 280;
const M = 4;
const NONE = 0xffffffff;
const [{ open: openDatabase }] = sqlDatabases as [(typeof sqlDatabases)[number]];

let db: SqlDatabase;
let one: SnapshotCase;
let good: Uint8Array;
beforeAll(async () => {
  db = await openDatabase();
  const blobs = new MemoryBlobStore();
  one = await SnapshotCase.create(db, blobs, { count: COUNT }, { quantization: "sq8" });
  good = await blobs.get(one.key);
});
afterAll(() => db.close());

async function blobsWith(bytes: Uint8Array): Promise<MemoryBlobStore> {
  const blobs = new MemoryBlobStore();
  await blobs.put(one.key, bytes);
  return blobs;
}

/** Opens a store beside these bytes; its answers must be right in any case. */
async function serveWith(bytes: Uint8Array): Promise<VectorOpenReport> {
  return one.serve(await blobsWith(bytes));
}

/** Opens a store beside bytes that must be passed over, and says why in the report. */
async function expectPassedOver(bytes: Uint8Array, reason: RegExp): Promise<void> {
  const report = await serveWith(bytes);
  expect(report).toMatchObject({ source: "rebuilt", vectors: COUNT, replayed: 0 });
  expect(report.reason).toMatch(reason);
}

/** Where the parts of the good file's graph begin. */
function partsOf(bytes: Uint8Array): {
  graph: number;
  levels: number;
  labels: number;
  uppers: number;
  records: number;
} {
  const graph = bytes.length - readLhv1(bytes).graph.length;
  const blocks = new DataView(bytes.buffer, bytes.byteOffset + graph).getUint32(20, true);
  const levels = 64;
  const labels = levels + COUNT;
  const uppers = labels + 4 * COUNT;
  return { graph, levels, labels, uppers, records: uppers + 4 * M * blocks };
}

const DAMAGE = /^(BAD_FORMAT|CORRUPT): ./u;

test("the snapshot that is about to be damaged opens", async () => {
  expect(await serveWith(good)).toMatchObject({ source: "snapshot", reason: null, vectors: COUNT });
});

describe("a file that is not whole", () => {
  test("is passed over, wherever it ends", async () => {
    const { graph, levels, labels, uppers, records } = partsOf(good);
    const random = new Random(1);
    const edges = [0, 4, 8, graph, ...[0, levels, labels, uppers, records].map((at) => graph + at), good.length];
    const ends = new Set(edges.flatMap((at) => [at - 1, at, at + 1]));
    for (let i = 0; i < 20; i++) ends.add(random.below(good.length));
    for (const end of ends) {
      if (end < 0 || end >= good.length) continue;
      await expectPassedOver(good.subarray(0, end), DAMAGE);
    }
  });

  test("is passed over, with more at its end or in its midst", async () => {
    const random = new Random(2);
    for (const at of [good.length, good.length - 1, 8, random.below(good.length), random.below(good.length)]) {
      for (const more of [1, 4, 64]) {
        const longer = new Uint8Array(good.length + more);
        longer.set(good.subarray(0, at));
        longer.set(good.subarray(at), at + more);
        await expectPassedOver(longer, DAMAGE);
      }
    }
  });

  test("is passed over, of zeros or of nothing but its beginning", async () => {
    await expectPassedOver(new Uint8Array(good.length), DAMAGE);
    await expectPassedOver(good.slice().fill(0, good.length / 2), DAMAGE);
    await expectPassedOver(good.slice().fill(0xff, 8), DAMAGE);
  });
});

describe("a file with a bit flipped", () => {
  test("is passed over, whichever of its bits it is", async () => {
    const random = new Random(3);
    const { graph } = partsOf(good);
    for (let i = 0; i < FLIPS; i++) {
      const damaged = good.slice();
      // Half of them where a byte means most: frame, envelope and the header of the graph.
      const at = random.below(i % 2 === 0 ? graph + 64 : good.length);
      (damaged[at] as number) ^= 1 << random.below(8);
      // Without the word "format" it is not one of ours.
      await expectPassedOver(damaged, /^((BAD_FORMAT|CORRUPT|SCHEMA_TOO_NEW): .|the snapshot is not ours$)/u);
    }
  });

  test("is written anew, and opens the next time", async () => {
    const damaged = good.slice();
    (damaged[damaged.length - 1] as number) ^= 1;
    const blobs = await blobsWith(damaged);
    expect(await one.serve(blobs)).toMatchObject({ source: "rebuilt", reason: expect.stringMatching(/^CORRUPT: /u) });
    expect(await one.serve(blobs)).toMatchObject({ source: "snapshot", reason: null });
  });
});

test("a file that cannot be read is passed over, and the next snapshot takes its place", async () => {
  const dir = await mkdtemp(join(tmpdir(), "lodestore-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const blobs = new FsBlobStore(dir);
  await blobs.put(one.key, good);
  const file = (await readdir(dir, { recursive: true, withFileTypes: true })).find((entry) => entry.isFile())!;
  const path = join(file.parentPath, file.name);
  // A folder where the file should be refuses the reading even of root, who may read what permissions forbid.
  await rm(path);
  await mkdir(path);
  const vectors = one.open(blobs);
  await one.expectServes(vectors);
  const [report] = await vectors.openReports();
  expect(report).toMatchObject({ source: "rebuilt", vectors: COUNT });
  expect(report?.reason).toMatch(/^the snapshot cannot be read: .*EISDIR/u);
  await rm(path, { recursive: true, force: true });
  await vectors.close();
  expect(await one.serve(blobs)).toMatchObject({ source: "snapshot", reason: null });
});

describe("a file of others", () => {
  test("is passed over: a coder/hnsw export in the same frame", async () => {
    const nodes = [
      { key: "a", vector: [1, 0, 0, 0], neighbours: ["b"] },
      { key: "b", vector: [0, 1, 0, 0], neighbours: ["a"] },
    ];
    const graph = writeCoderHnsw({ layers: [nodes, nodes.slice(0, 1)] });
    await expectPassedOver(writeLhv1({ name: "notes", version: 1 }, [graph]), /^the snapshot is not ours$/u);
    await expectPassedOver(writeLhv1({}, []), /^the snapshot is not ours$/u);
  });

  test("is passed over: random bytes, also behind our magic", async () => {
    const random = new Random(4);
    for (let i = 0; i < 20; i++) {
      const bytes = Uint8Array.from({ length: random.below(400) }, () => random.below(256));
      await expectPassedOver(bytes, DAMAGE);
      bytes.set([0x4c, 0x48, 0x56, 0x31, 0, 0, 0, random.below(256)].slice(0, bytes.length));
      await expectPassedOver(bytes, DAMAGE);
    }
  });

  test("is passed over: a text, JSON and another kind of graph", async () => {
    const text = new TextEncoder();
    await expectPassedOver(text.encode("Not found\n"), DAMAGE);
    await expectPassedOver(text.encode(JSON.stringify(readLhv1(good).envelope)), DAMAGE);
    await expectPassedOver(resigned(good, { graph: () => writeCoderHnsw({ layers: [] }) }), DAMAGE);
  });
});

describe("a sound file that is not of this index", () => {
  test("is passed over: of a later version, whatever else it says", async () => {
    const { envelope, graph } = readLhv1(good);
    for (const formatVersion of [2, 3, 2 ** 40]) {
      const later = { ...envelope, formatVersion, colour: "new", quantization: "sq4" };
      await expectPassedOver(writeLhv1(later, [graph]), /^SCHEMA_TOO_NEW: .*formatVersion/u);
    }
  });

  test.each([
    ["name", { name: "chunk_embeddings_test_4.2" }],
    ["modelId", { modelId: "other" }],
    ["modelVersion", { modelVersion: "2" }],
    ["dimensions", { dimensions: 5 }],
    ["metric", { metric: "l2" }],
    ["parameters.m", { parameters: { m: 3, efConstruction: 128, seed: 1 } }],
    ["parameters.m", { parameters: { m: 65, efConstruction: 128, seed: 1 } }],
    ["m of the graph section", { parameters: { m: 16, efConstruction: 128, seed: 1 } }],
    ["parameters.m of the snapshot", { parameters: { m: 0, efConstruction: 128, seed: 1 } }],
    ["kind", { quantization: "f32" }],
    ["count", { count: COUNT + 1 }],
    ["count", { count: 0 }],
    ["count", { count: Number.MAX_SAFE_INTEGER }],
  ])("is passed over for its %s: %j", async (field, envelope) => {
    await expectPassedOver(resigned(good, { envelope }), new RegExp(`^(BAD_FORMAT|CORRUPT): .*${field}`, "u"));
  });

  test("is passed over where it is newer than the database", async () => {
    const envelope = { revision: Number.MAX_SAFE_INTEGER };
    await expectPassedOver(resigned(good, { envelope }), /^the snapshot is newer than the database$/u);
  });

  test("is passed over where it is older than what it stands for: another database had that name", async () => {
    await expectPassedOver(resigned(good, { envelope: { createdAt: 1 } }), /^the snapshot is older than what/u);
  });

  test("is passed over where it is of a time to come, and the store goes on as if it were not there", async () => {
    const envelope = { createdAt: Number.MAX_SAFE_INTEGER, revision: Number.MAX_SAFE_INTEGER };
    await expectPassedOver(resigned(good, { envelope }), /^the snapshot is newer than the database$/u);
    const late = { createdAt: Number.MAX_SAFE_INTEGER };
    await expectPassedOver(resigned(good, { envelope: late }), /^the snapshot is of a time to come$/u);
  });

  test("may be of a later hour, and say another seed or efConstruction", async () => {
    const envelope = { createdAt: Date.now() + 3_600_000, parameters: { m: 4, efConstruction: 7, seed: 99 } };
    expect(await serveWith(resigned(good, { envelope }))).toMatchObject({ source: "snapshot", reason: null });
  });
});

describe("a graph section that was made to harm, with every checksum right,", () => {
  const poisoned = (
    change: (words: DataView, parts: ReturnType<typeof partsOf>, graph: Uint8Array) => void,
  ): Uint8Array =>
    resigned(good, {
      graph: (graph) => change(new DataView(graph.buffer), partsOf(good), graph),
    });
  const STRIDE = 64;
  /** Where the links of a node in layer 0 stand. */
  const linksOf = (parts: ReturnType<typeof partsOf>, node: number): number => parts.records + node * STRIDE + 8;

  test.each([
    ["magic", 0, 0],
    ["count", 4, 0],
    ["count", 4, COUNT - 1],
    ["count", 4, COUNT + 1],
    ["count", 4, NONE],
    ["dimensions", 8, 0],
    ["dimensions", 8, NONE],
    ["metric, kind and m", 12, NONE],
    ["entry", 16, COUNT],
    ["entry", 16, NONE],
    ["entry", 16, NONE - 1],
    ["blocks", 20, 0],
    ["blocks", 20, NONE],
    ["stride", 24, 0],
    ["stride", 24, 16],
    ["stride", 24, NONE],
  ])("is passed over for its %s (at byte %i: %i)", async (_, at, value) => {
    await expectPassedOver(
      poisoned((words) => words.setUint32(at, value, true)),
      DAMAGE,
    );
  });

  test("is passed over where count and stride or blocks are huge, and their product is the length", async () => {
    const huge = (count: number, blocks: number, stride: number): Uint8Array =>
      poisoned((words) => {
        words.setUint32(4, count, true);
        words.setUint32(20, blocks, true);
        words.setUint32(24, stride, true);
      });
    const length = readLhv1(good).graph.length;
    await expectPassedOver(huge(0, 0, 64), DAMAGE);
    await expectPassedOver(huge(0, Math.floor((length - 64) / 16), 64), DAMAGE);
    await expectPassedOver(huge(NONE, NONE, NONE), DAMAGE);
    await expectPassedOver(huge(Math.floor((length - 64) / 5), 0, 0), DAMAGE);
  });

  test("is passed over where it has no end or no beginning", async () => {
    for (const length of [0, 1, 63, 64, 65]) {
      await expectPassedOver(resigned(good, { graph: (graph) => graph.slice(0, length) }), DAMAGE);
    }
    const longer = resigned(good, { graph: (graph) => Uint8Array.from([...graph, 0, 0, 0, 0]) });
    await expectPassedOver(longer, /^BAD_FORMAT: length/u);
  });

  test("is passed over where a link leads nowhere, to its own node, twice to one, or one way only", async () => {
    const node = 5;
    for (const target of [COUNT, COUNT + 1, 0x7fffffff, NONE - 1, node]) {
      const wrong = poisoned((words, parts) => words.setUint32(linksOf(parts, node), target, true));
      await expectPassedOver(wrong, /^CORRUPT: .*link/u);
    }
    const twice = poisoned((words, parts) => {
      const at = linksOf(parts, node);
      words.setUint32(at + 4, words.getUint32(at, true), true);
    });
    await expectPassedOver(twice, /^CORRUPT: .*link/u);
    const oneWay = poisoned((words, parts) => {
      const at = linksOf(parts, node);
      let last = 0;
      while (last < 2 * M - 3 && words.getUint32(at + 4 * (last + 1), true) !== NONE) last++;
      words.setUint32(at + 4 * last, NONE, true);
    });
    await expectPassedOver(oneWay, /^CORRUPT: .*link/u);
    const gap = poisoned((words, parts) => words.setUint32(linksOf(parts, node), NONE, true));
    await expectPassedOver(gap, /^CORRUPT: .*link/u);
  });

  test("is passed over where upper links make a ring of their own, or all lead to one node", async () => {
    const ring = poisoned((words, { uppers, records }) => {
      for (let at = uppers, i = 0; at < records; at += 4, i++) words.setUint32(at, (i + 1) % COUNT, true);
    });
    await expectPassedOver(ring, /^CORRUPT: .*link/u);
    const one = poisoned((words, { uppers, records }) => {
      for (let at = uppers; at < records; at += 4) words.setUint32(at, 0, true);
    });
    await expectPassedOver(one, /^CORRUPT: .*link/u);
  });

  test("is passed over where levels are none, or do not fit the upper links and the entry", async () => {
    for (const level of [1, 15, 16, 0xfd, 0xfe, 0xff]) {
      const all = poisoned((_words, { levels, labels }, graph) => void graph.fill(level, levels, labels));
      await expectPassedOver(all, /^CORRUPT: /u);
      const some = poisoned((_words, { levels }, graph) => {
        graph[levels + graph.subarray(levels, levels + COUNT).indexOf(0)] = level;
      });
      await expectPassedOver(some, /^CORRUPT: /u);
    }
    const none = poisoned((_words, { levels, labels }, graph) => void graph.fill(0, levels, labels));
    await expectPassedOver(none, /^CORRUPT: /u);
  });

  test("is passed over where a label stands twice, or a scale is no number", async () => {
    const twice = poisoned((words, { labels }) => words.setUint32(labels, words.getUint32(labels + 4, true), true));
    await expectPassedOver(twice, /^CORRUPT: .*label/u);
    for (const [at, value] of [
      [0, Number.NaN],
      [0, -1],
      [0, Infinity],
      [4, Number.NaN],
      [4, -Infinity],
    ] as const) {
      const wrong = poisoned((words, { records }) => words.setFloat32(records + 7 * STRIDE + at, value, true));
      await expectPassedOver(wrong, /^CORRUPT: .*scale/u);
    }
  });

  test("never serves wrong answers, whatever its numbers and links are", async () => {
    const random = new Random(5);
    let refused = 0;
    for (let i = 0; i < FLIPS; i++) {
      const report = await serveWith(
        poisoned((words, parts, graph) => {
          const value = random.pick([0, 1, random.below(COUNT), COUNT, NONE, NONE - 1, random.bits()]);
          const node = random.below(COUNT);
          const place = random.below(4);
          if (place === 0) words.setUint32(4 * random.below(7), value, true);
          else if (place === 1) graph[parts.levels + node] = value;
          else if (place === 2)
            words.setUint32(parts.uppers + 4 * random.below((parts.records - parts.uppers) / 4), value, true);
          else words.setUint32(linksOf(parts, node) + 4 * random.below(2 * M - 2), value, true);
        }),
      );
      if (report.source === "rebuilt") refused++;
      else expect(report.reason).toBeNull();
    }
    expect(refused).toBeGreaterThan(FLIPS / 2);
  });

  test("finds only what there is, whatever its labels and codes are, until it is made anew", async () => {
    const random = new Random(6);
    const known = new Set(one.corpus.chunks.map(({ id }) => id));
    for (let i = 0; i < FLIPS / 3; i++) {
      const bytes = poisoned((words, parts, graph) => {
        for (let times = 0; times < 30; times++) {
          const node = random.below(COUNT);
          if (random.chance(0.5)) words.setUint32(parts.labels + 4 * node, random.bits(), true);
          else graph[linksOf(parts, node) + 4 * (2 * M - 2) + random.below(16)] = random.below(256);
        }
      });
      const vectors = one.open(await blobsWith(bytes));
      const query = Float32Array.from({ length: 4 }, () => random.normal());
      for (const k of [1, 10, 1000]) {
        const { hits } = await vectors.search(one.table.indexId, query, { modelVersion: "1", k });
        expect(new Set(hits.map(({ chunkId }) => chunkId)).size).toBe(hits.length);
        for (const { chunkId, score } of hits) expect(known.has(chunkId) && score >= -1 && score <= 1).toBe(true);
      }
      await vectors.flush();
      await vectors.rebuild(one.table.indexId, "1");
      await one.expectServes(vectors);
      await vectors.close();
    }
  });
});
