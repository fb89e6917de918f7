import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { writeLhv1 } from "../../src/formats/lhv1.ts";
import {
  type ImportText,
  importVectors,
  inspectVectorFile,
  openStore,
  parseChunkMap,
  parseDocstore,
  readVectorFile,
  type Store,
  type VectorFile,
} from "../../src/node.ts";
import { importedPath } from "../../src/store/import/imported-document.ts";
import { writeCoderHnsw } from "../formats/coder-hnsw-writer.ts";
import { dataFile } from "../formats/data-file.ts";
import { writeHnswlib } from "../formats/hnswlib-writer.ts";
import { sampleCoder, sampleHnswlib, sampleSnapshot } from "../formats/sample-files.ts";

const MODEL = { modelId: "ada" };

async function openEmptyStore(): Promise<Store> {
  const dir = mkdtempSync(join(tmpdir(), "lodestore-import-"));
  const store = await openStore({ dir, embedOnOpen: false });
  onTestFinished(async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return store;
}

function vectorFile(vectors: Record<string, number[]>, metric: VectorFile["metric"] = "cosine"): VectorFile {
  const rows = Object.values(vectors);
  return {
    format: "hnswlib",
    metric,
    dimensions: rows[0]?.length ?? 0,
    labels: Object.keys(vectors),
    vectors: Float32Array.from(rows.flat()),
    deletedCount: 0,
  };
}

function texts(of: Record<string, string>): Map<string, ImportText> {
  return new Map(Object.entries(of).map(([label, text]) => [label, { text, metadata: {} }]));
}

async function pathsNear(store: Store, vector: number[]): Promise<string[]> {
  const { hits } = await store.search({ mode: "vector", vector: Float32Array.from(vector) });
  return hits.map((hit) => hit.citation.workspacePath);
}

describe("reading a file with vectors", () => {
  test("gives labels and vectors of both kinds, deleted ones left out", () => {
    expect(readVectorFile(sampleHnswlib(), { metric: "l2" })).toMatchObject({
      format: "hnswlib",
      metric: "l2",
      dimensions: 3,
      labels: ["7", "1", "4000000000"],
      deletedCount: 1,
    });
    const foreign = readVectorFile(writeLhv1({ any: "thing" }, [sampleCoder()]));
    expect(foreign).toMatchObject({ format: "coder-hnsw", metric: "l2", labels: ["a", "b", "é", "four", "five"] });
    expect([...foreign.vectors.subarray(0, 3)]).toEqual([1, 0, 0.5]);
  });

  test.each([
    ["an empty file", new Uint8Array(), "BAD_FORMAT"],
    ["text", new TextEncoder().encode("hello, world"), "BAD_FORMAT"],
    ["zeros", new Uint8Array(200), "BAD_FORMAT"],
    ["a cut index", sampleHnswlib().subarray(0, 150), "BAD_FORMAT"],
    ["a cut frame", writeLhv1({}, [sampleCoder()]).subarray(0, 9), "BAD_FORMAT"],
    ["a cut graph", writeLhv1({}, [sampleCoder().subarray(0, 40)]), "BAD_FORMAT"],
    ["a snapshot of its own", sampleSnapshot(), "UNSUPPORTED"],
  ])("refuses %s", (_, bytes, code) => {
    expect(() => readVectorFile(bytes)).toThrow(expect.objectContaining({ code }));
  });

  test("refuses a metric that the file contradicts", () => {
    const bytes = writeLhv1({}, [sampleCoder()]);
    expect(() => readVectorFile(bytes, { metric: "cosine" })).toThrow('metric got "cosine"; the file says "l2"');
  });

  test("allocates nothing for a count that the file cannot hold", () => {
    const index = sampleHnswlib();
    new DataView(index.buffer).setBigUint64(8, 2n ** 40n, true);
    new DataView(index.buffer).setBigUint64(16, 2n ** 31n, true);
    expect(() => readVectorFile(index)).toThrow(/take more than \d+ bytes/);
  });
});

describe("inspecting a file", () => {
  test("tells of a snapshot of ours, checksums verified", async () => {
    const bytes = await readFile(new URL("../fixtures/lhv1/v1-sq8-cosine.lhv1", import.meta.url));
    const found = inspectVectorFile(bytes);
    expect(found).toMatchObject({
      format: "lodestore",
      version: 1,
      encoding: "hnsw-1",
      metric: "cosine",
      quantization: "sq8",
      checksums: { envelope: "verified", graph: "verified" },
      problems: [],
    });
    const nodes = (found.levels?.[0] ?? 0) + found.unlinked;
    expect(found.vectors).toBe(nodes);
    const last = found.sections.at(-1);
    expect((last?.offset ?? 0) + (last?.byteLength ?? 0)).toBe(bytes.length);
  });

  test.each([
    ["the envelope", 60, { envelope: "wrong", graph: "none" }],
    ["the graph", -1, { envelope: "verified", graph: "wrong" }],
  ])("says which checksum is wrong when a bit of %s flips", async (_, at, checksums) => {
    const bytes = new Uint8Array(await readFile(new URL("../fixtures/lhv1/v1-f32-l2.lhv1", import.meta.url)));
    // A digit of a number or letter of a name stays JSON.
    const text = new TextDecoder("latin1").decode(bytes);
    const place = at < 0 ? bytes.length - 1 : text.indexOf('"name":"') + 8;
    bytes[place] = bytes[place]! ^ 1;
    const found = inspectVectorFile(bytes);
    expect(found.checksums).toEqual(checksums);
    expect(found.problems[0]?.code).toBe("CORRUPT");
  });

  test("tells of a foreign graph and an hnswlib index, which have no checksums", () => {
    const none = { envelope: "none", graph: "none" };
    const coder = inspectVectorFile(writeLhv1({ by: "go" }, [sampleCoder()]));
    expect(coder).toMatchObject({
      format: "coder-hnsw",
      envelope: { by: "go" },
      vectors: 5,
      dimensions: 3,
      metric: "l2",
    });
    expect(coder).toMatchObject({ checksums: none, problems: [], version: 1, m: 16 });
    const hnswlib = inspectVectorFile(sampleHnswlib(4));
    expect(hnswlib).toMatchObject({ format: "hnswlib", envelope: null, vectors: 3, deleted: 1, metric: null, m: 2 });
    expect(hnswlib).toMatchObject({ checksums: none, problems: [] });
    const sizes = hnswlib.sections.reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(sizes).toBe(sampleHnswlib(4).length);
  });

  test("tells what is wrong inside, and refuses what is no such file", () => {
    const cut = inspectVectorFile(writeLhv1({}, [sampleCoder().subarray(0, 50)]));
    expect(cut).toMatchObject({ vectors: null, problems: [{ code: "BAD_FORMAT" }] });
    const index = inspectVectorFile(sampleHnswlib().subarray(0, -1));
    expect(index).toMatchObject({ vectors: null, dimensions: 3, problems: [{ code: "BAD_FORMAT" }] });
    expect(() => inspectVectorFile(new Uint8Array(3))).toThrow("the file of 3 bytes is neither LHV1 nor");
  });

  test("survives any byte of any kind of file being anything", () => {
    for (const whole of [sampleHnswlib(), writeLhv1({ a: 1 }, [sampleCoder()]), sampleSnapshot()]) {
      for (let at = 0; at < whole.length; at++) {
        for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
          const damaged = whole.slice();
          damaged[at] = value;
          try {
            inspectVectorFile(damaged);
          } catch (error) {
            expect(error).toMatchObject({ code: "BAD_FORMAT" });
          }
        }
      }
    }
  });
});

describe("texts and chunks by label", () => {
  test("are read from pairs, as LangChain writes them, and from objects", () => {
    expect(
      parseDocstore('\uFEFF[["0",{"pageContent":"a","metadata":{"source":"s"}}],["1",{"pageContent":"b"}]]'),
    ).toEqual(
      new Map([
        ["0", { text: "a", metadata: { source: "s" } }],
        ["1", { text: "b", metadata: {} }],
      ]),
    );
    expect(parseDocstore('{"x":"a"}')).toEqual(new Map([["x", { text: "a", metadata: {} }]]));
    expect(parseDocstore('{"__proto__":"a"}').get("__proto__")).toEqual({ text: "a", metadata: {} });
    const id = "a".repeat(32);
    expect(parseChunkMap(`{"0":"${id}"}`)).toEqual(new Map([["0", id]]));
  });

  test.each([
    ["", "the file is not JSON"],
    ["3", "the docstore is 3; it takes a list of pairs, or an object"],
    ["[3]", "entry 0 of the docstore is 3; it takes a label and a document"],
    ['[["a","x"],["a","y"]]', 'the docstore has "a" twice'],
    ['{"a":3}', 'pageContent of "a" is 3; it takes a text'],
    ['{"a":{"text":"x"}}', 'pageContent of "a" is undefined; it takes a text'],
    [String.raw`{"a":"\u0000"}`, 'pageContent of "a" is no well-formed Unicode'],
    [String.raw`{"a":"\ud800"}`, 'pageContent of "a" is no well-formed Unicode'],
    ['{"a":{"pageContent":"x","metadata":[]}}', 'metadata of "a" is an empty list; it takes an object'],
  ])("refuses the docstore %j", (json, message) => {
    expect(() => parseDocstore(json)).toThrow(expect.objectContaining({ code: "BAD_FORMAT" }));
    expect(() => parseDocstore(json)).toThrow(message);
  });

  test.each([
    ["[]", "the map is an empty list; it takes an object"],
    ['{"a":"b"}', '"a" is "b" in the map; it takes a chunk id'],
  ])("refuses the map %j", (json, message) => {
    expect(() => parseChunkMap(json)).toThrow(message);
  });
});

describe("importing", () => {
  test("makes a document of each text, found by words and by nearness", async () => {
    const store = await openEmptyStore();
    const file = vectorFile({ "0": [1, 0], "1": [0, 1], gone: [1, 1] });
    const seen: number[] = [];
    const report = await importVectors(store, file, {
      ...MODEL,
      texts: texts({ "0": "the kiln is hot", "1": "the glaze\nmelts", spare: "x" }),
      onProgress: ({ done, total }) => seen.push(done, total),
    });
    expect(report).toMatchObject({
      modelId: "ada",
      modelVersion: "1",
      dimensions: 2,
      metric: "cosine",
      vectors: 3,
      stored: 2,
      documents: { added: 2, replaced: 0, unchanged: 0 },
      unmatched: { count: 1, labels: ["gone"] },
      unknown: { count: 0 },
      unused: 1,
    });
    expect(seen.slice(-2)).toEqual([3, 3]);
    expect(await pathsNear(store, [0.1, 1])).toEqual(["imported/1.txt", "imported/0.txt"]);
    const { hits } = await store.search({ text: "glaze" });
    expect(hits[0]).toMatchObject({ title: "the glaze", citation: { span: { start: 1, end: 2 } } });
    expect(await store.check()).toMatchObject({ ok: true });
  });

  test("again replaces what is there and doubles nothing", async () => {
    const store = await openEmptyStore();
    const file = vectorFile({ "0": [1, 0], "1": [0, 1] });
    await importVectors(store, file, { ...MODEL, texts: texts({ "0": "one", "1": "two" }) });
    const again = await importVectors(store, vectorFile({ "0": [0, 1], "1": [1, 0] }), {
      ...MODEL,
      texts: texts({ "0": "one", "1": "changed" }),
    });
    expect(again).toMatchObject({ stored: 2, documents: { added: 0, replaced: 1, unchanged: 1 } });
    expect(await pathsNear(store, [0.1, 1])).toEqual(["imported/0.txt", "imported/1.txt"]);
    expect(await store.stats()).toMatchObject({ documents: 2, chunks: 2, embeddings: { committed: 2 } });
  });

  test("puts vectors to chunks that are there, by map or by their ids, and names those that are not", async () => {
    const store = await openEmptyStore();
    await store.ingest({ path: "a.md", content: "# A\n\nkiln" });
    await store.ingest({ path: "b.md", content: "# B\n\nglaze" });
    const [a = "", b = ""] = (await store.search({ text: "kiln glaze" })).hits.map((hit) => hit.chunkId);
    const nobody = "f".repeat(32);
    const mapped = await importVectors(store, vectorFile({ x: [1, 0], y: [0, 1], z: [1, 1] }), {
      ...MODEL,
      chunks: new Map([
        ["x", a],
        ["y", nobody],
      ]),
    });
    expect(mapped).toMatchObject({
      stored: 1,
      unknown: { count: 1, labels: ["y"] },
      unmatched: { count: 1, labels: ["z"] },
      unused: 0,
    });
    const direct = await importVectors(store, vectorFile({ [a]: [1, 0], [b]: [0, 1] }), MODEL);
    expect(direct).toMatchObject({ stored: 2, unknown: { count: 0 } });
  });

  test("checks all of it before the first is written", async () => {
    const store = await openEmptyStore();
    const both = { texts: texts({ "0": "one", "1": "two" }) };
    const id = "a".repeat(32);
    const bad: [VectorFile, object, string][] = [
      [vectorFile({ "0": [1, 0], "1": [0, 0] }), both, 'the vector of label "1" is zero'],
      [vectorFile({ "0": [1, 0], "1": [3e18, 0] }, "l2"), both, 'the vector of label "1" got "a length of '],
      [vectorFile({ "0": [1, 0], "1": [Number.NaN, 0] }, "dot"), both, 'the vector of label "1"[0] got NaN'],
      [vectorFile({ "0": [1, 0] }), {}, 'label "0" is no chunk id; give texts, or chunks by label'],
      [vectorFile({ "0": [1, 0] }), { chunks: new Map([["0", "x"]]) }, 'chunks has "x" for label "0"'],
      [
        vectorFile({ "0": [1, 0], "1": [0, 1] }),
        {
          chunks: new Map([
            ["0", id],
            ["1", id],
          ]),
        },
        `labels "0" and "1" both stand for chunk "${id}"`,
      ],
      [vectorFile({ "0": [1, 0] }), { ...both, chunks: new Map() }, "texts and chunks both say"],
      [vectorFile({ "0": [1, 0] }), { ...both, prefix: "../x" }, "prefix got"],
      [vectorFile({ "0": [1, 0] }), { ...both, modelId: "" }, "modelId got"],
    ];
    for (const [file, options, message] of bad) {
      const work = importVectors(store, file, { ...MODEL, ...options });
      await expect(work).rejects.toMatchObject({ code: "INVALID_INPUT", message: expect.stringContaining(message) });
    }
    expect(await store.stats()).toMatchObject({ documents: 0, embeddings: { committed: 0 } });
  });

  test("replaces no document of other origin", async () => {
    const store = await openEmptyStore();
    await store.ingest({ path: "notes/0.txt", content: "mine" });
    const work = importVectors(store, vectorFile({ "1": [1], "0": [1] }), {
      ...MODEL,
      texts: texts({ "0": "theirs", "1": "new" }),
      prefix: "notes",
    });
    await expect(work).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await store.stats()).toMatchObject({ documents: 1 });
  });

  test("refuses another metric for the same model", async () => {
    const store = await openEmptyStore();
    const all = { ...MODEL, texts: texts({ "0": "one" }) };
    await importVectors(store, vectorFile({ "0": [1, 0] }), all);
    const more = { ...MODEL, texts: texts({ "0": "one", "1": "two" }) };
    const other = vectorFile({ "0": [1, 0], "1": [0, 1] }, "l2");
    await expect(importVectors(store, other, more)).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await store.stats()).toMatchObject({ documents: 1 });
  });

  test("stops when it is told to, with whole documents, and goes on later", async () => {
    const store = await openEmptyStore();
    const count = 700;
    const labels = Array.from({ length: count }, (_, at) => String(at));
    const file = vectorFile(Object.fromEntries(labels.map((label, at) => [`t${label}`, [1, at]])));
    const all = texts(Object.fromEntries(labels.map((label) => [`t${label}`, `text ${label}`])));
    const controller = new AbortController();
    const work = importVectors(store, file, {
      ...MODEL,
      texts: all,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(work).rejects.toMatchObject({ code: "ABORTED" });
    const stopped = await store.stats();
    expect(stopped.embeddings.committed).toBe(256);
    expect(await store.check()).toMatchObject({ ok: true });
    const again = await importVectors(store, file, { ...MODEL, texts: all });
    expect(again).toMatchObject({ stored: count, documents: { unchanged: stopped.documents } });
    expect(await store.stats()).toMatchObject({ documents: count, embeddings: { committed: count } });
  });

  test("takes an index without vectors, and texts without words", async () => {
    const store = await openEmptyStore();
    const empty = readVectorFile(writeLhv1({}, [writeCoderHnsw({ layers: [] })]));
    expect(await importVectors(store, empty, { ...MODEL, texts: texts({}) })).toMatchObject({ vectors: 0, stored: 0 });
    const blank = await importVectors(store, vectorFile({ "0": [1] }), { ...MODEL, texts: texts({ "0": "" }) });
    expect(blank).toMatchObject({ stored: 1 });
  });

  test("gives every label a path of its own", () => {
    const labels = [
      "0",
      "a b",
      "a/b",
      "a%2Fb",
      "../x",
      "..",
      ".",
      ".a",
      "a.b",
      "é",
      "e\u0301",
      "",
      "x".repeat(500),
      "%~",
      "日本",
    ];
    const paths = labels.map((label) => importedPath("imported", label));
    expect(new Set(paths).size).toBe(labels.length);
    expect(paths.slice(0, 3)).toEqual(["imported/0.txt", "imported/a b.txt", "imported/a%2Fb.txt"]);
    for (const path of paths) expect(path).toMatch(/^imported\/[^/]{1,300}\.txt$/);
  });

  test("keeps what the index of every word size says", async () => {
    const store = await openEmptyStore();
    const elements = [
      { label: 5n, vector: [1, 0], links: [[1]] },
      { label: 6n, vector: [0, 1], links: [[0]] },
    ];
    for (const wordBytes of [4, 8] as const) {
      const file = readVectorFile(writeHnswlib({ wordBytes, dimensions: 2, m: 2, elements }));
      const report = await importVectors(store, file, { ...MODEL, texts: texts({ "5": "five", "6": "six" }) });
      expect(report.stored).toBe(2);
    }
    expect(await pathsNear(store, [0, 1])).toEqual(["imported/6.txt", "imported/5.txt"]);
  });
});

const index = dataFile("vectors/hnswlib-ada002/hnswlib.index");

describe.skipIf(index.missing)(`an index that LangChain wrote${index.missing ? ` (${index.note})` : ""}`, () => {
  test("is imported with its texts; every vector finds its own text first", async () => {
    const store = await openEmptyStore();
    const file = readVectorFile(await readFile(index.path), { metric: "cosine" });
    const docstore = parseDocstore(await readFile(dataFile("vectors/hnswlib-ada002/docstore.json").path, "utf8"));
    const report = await importVectors(store, file, { ...MODEL, texts: docstore });
    expect(report).toMatchObject({ vectors: 332, stored: 332, unused: 0, documents: { added: 332 } });
    for (let at = 0; at < 332; at += 37) {
      const vector = [...file.vectors.subarray(at * file.dimensions, (at + 1) * file.dimensions)];
      expect((await pathsNear(store, vector))[0]).toBe(`imported/${file.labels[at]}.txt`);
    }
    expect(inspectVectorFile(await readFile(index.path))).toMatchObject({ vectors: 332, problems: [] });
  });
});
