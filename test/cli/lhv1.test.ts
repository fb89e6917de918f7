import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { writeLhv1 } from "../../src/formats/lhv1.ts";
import type { ImportReport, SearchResult, VectorFileInspection } from "../../src/node.ts";
import { dataFile } from "../formats/data-file.ts";
import { writeHnswlib } from "../formats/hnswlib-writer.ts";
import { sampleCoder, sampleHnswlib, sampleSnapshot } from "../formats/sample-files.ts";
import { SERVER_DIMENSIONS, serverVector, startEmbeddingServer } from "../support/embedding-server.ts";
import { lodestore, lodestoreJson, makeFolder, start } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 60_000 });

const TEXTS = ["The kiln is hot.", "The glaze melts.", "Clay is thrown on a wheel."];
const DOCSTORE = JSON.stringify(
  TEXTS.map((text, at) => [String(at), { pageContent: text, metadata: { source: `s${at}` } }]),
);

/** An index whose vectors are those of the embedding server for the texts. */
function indexOf(texts: readonly string[]): Uint8Array {
  return writeHnswlib({
    dimensions: SERVER_DIMENSIONS,
    m: 4,
    elements: texts.map((text, at) => ({ label: BigInt(at), vector: serverVector(text), links: [[]] })),
  });
}

describe("lodestore lhv1 inspect", () => {
  test("tells of a snapshot of a store, checksums verified", async () => {
    const folder = makeFolder({
      "s.lhv1": readFileSync(new URL("../fixtures/lhv1/v1-sq8-cosine.lhv1", import.meta.url)),
    });
    const { code, stdout, stderr } = await lodestore(folder, "lhv1", "inspect", "s.lhv1");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^s\.lhv1: snapshot of Lodestore \(LHV1\), /);
    expect(stdout).toMatch(/\n {2}version {4}1\n {2}encoding {3}hnsw-1, sq8\n {2}vectors {4}\d+/);
    expect(stdout).toMatch(
      /\n {2}levels {5}0: \d+[^]*\n {2}revision {3}\d+\n {2}checksums {2}envelope verified, graph verified\n/,
    );
    expect(stdout).toMatch(
      /\nSections:\n {2}frame {5}at 0, 8 bytes\n {2}envelope {2}at 8, [^]*\nEnvelope:\n {2}format: "lodestore-hnsw"\n/,
    );
    expect(stdout.endsWith("\nRead to its end: all is well.\n")).toBe(true);
  });

  test("tells of a foreign graph and of an hnswlib index", async () => {
    const folder = makeFolder({
      "f.lhv1": writeLhv1({ by: "go\u001B[2J" }, [sampleCoder()]),
      "h.index": sampleHnswlib(),
    });
    const foreign = await lodestore(folder, "lhv1", "inspect", "f.lhv1");
    expect(foreign.code).toBe(0);
    expect(foreign.stdout).toMatch(/LHV1 with a graph of coder\/hnsw[^]*vectors {4}5\n[^]*metric {5}l2\n/);
    expect(foreign.stdout).not.toContain("\u001B");
    const hnswlib = await lodestoreJson<VectorFileInspection>(folder, "lhv1", "inspect", "h.index");
    expect(hnswlib).toMatchObject({ format: "hnswlib", vectors: 3, deleted: 1, problems: [] });
    expect((await lodestore(folder, "lhv1", "inspect", "h.index")).stdout).toContain("3 (1 more are marked deleted)");
  });

  test("exits with 1 where a file is damaged or none, with 2 where there is none", async () => {
    const damaged = sampleSnapshot();
    damaged[damaged.length - 1]! ^= 1;
    const folder = makeFolder({ "d.lhv1": damaged, "t.txt": "just a text", dir: "" });
    const problem = await lodestore(folder, "lhv1", "inspect", "d.lhv1");
    expect(problem.code).toBe(1);
    expect(problem.stdout).toMatch(/graph wrong\n[^]*\nPROBLEM {2}graph\.checksum is .* \[CORRUPT\]\n/);
    const none = await lodestore(folder, "lhv1", "inspect", "t.txt");
    expect(none).toMatchObject({ code: 1, stdout: "" });
    expect(none.stderr).toBe(
      "lodestore lhv1 inspect: t.txt: the file of 11 bytes is neither LHV1 nor an index of hnswlib [BAD_FORMAT]\n",
    );
    for (const args of [["no.lhv1"], ["."], [], ["a", "b"]]) {
      expect(await lodestore(folder, "lhv1", "inspect", ...args)).toMatchObject({ code: 2, stdout: "" });
    }
    const error = await lodestore(folder, "lhv1", "inspect", "t.txt", "--json");
    expect(JSON.parse(error.stderr)).toMatchObject({ error: { code: "BAD_FORMAT", operation: "lhv1 inspect" } });
  });
});

describe("lodestore lhv1 import", () => {
  test("makes a store of an index and its texts, searched by the model that made it", async () => {
    await using server = await startEmbeddingServer();
    const spec = { kind: "http", api: "openai", url: server.url, model: "tiny", dimensions: SERVER_DIMENSIONS };
    const folder = makeFolder({
      "x/hnswlib.index": indexOf(TEXTS),
      "x/docstore.json": DOCSTORE,
      "x/args.json": `{"space":"cosine","numDimensions":${SERVER_DIMENSIONS}}`,
      "e.json": JSON.stringify(spec),
    });
    const args = ["lhv1", "import", "x/hnswlib.index", "--model", "tiny", "--texts", "x/docstore.json"];
    const first = await lodestore(folder, ...args, "-q");
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toMatch(
      /^3 of 3 vectors imported, .* \(tiny, version 1, 8 dimensions, cosine\)\n3 documents added, 0 replaced, 0 unchanged, under imported\/x\/hnswlib\/\n$/,
    );
    const query = ["search", TEXTS[1] ?? "", "--mode", "vector", "--embedder", "e.json"];
    const { hits } = await lodestoreJson<SearchResult>(folder, ...query);
    expect(hits[0]).toMatchObject({ title: "s1", citation: { workspacePath: "imported/x/hnswlib/1.txt" } });
    expect(hits[0]?.score).toBeCloseTo(1, 2);
    expect(await lodestoreJson<ImportReport>(folder, ...args)).toMatchObject({ documents: { unchanged: 3 } });
    expect(await lodestore(folder, "embed", "--embedder", "e.json")).toMatchObject({
      stdout: expect.stringContaining("Nothing to embed"),
    });
    expect(await lodestoreJson(folder, "doctor")).toMatchObject({ ok: true });
  });

  test("puts vectors to chunks by a map, and names labels without one and chunks that are not there", async () => {
    const folder = makeFolder({ "docs/a.md": "# A\n\nkiln", "h.index": indexOf(TEXTS) });
    await lodestore(folder, "ingest", "docs", "--embedder", "none");
    const found = await lodestoreJson<SearchResult>(folder, "search", "kiln");
    const chunkId = found.hits[0]?.chunkId ?? "";
    const more = makeFolder({ "ids.json": JSON.stringify({ 0: chunkId, 1: "f".repeat(32), other: "e".repeat(32) }) });
    const { code, stdout } = await lodestore(
      folder,
      "lhv1",
      "import",
      "h.index",
      "--model",
      "m",
      "--metric",
      "l2",
      "--map",
      `${more}/ids.json`,
      "-q",
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^1 of 3 vectors imported, .*, l2\)\nNo text or chunk for 1 label: "2"\nThe store has not the chunk of 1 label: "1"\n1 text or chunk without a vector\n$/,
    );
    const without = await lodestore(folder, "lhv1", "import", "h.index", "--model", "m2");
    expect(without).toMatchObject({ code: 2, stdout: "" });
    expect(without.stderr).toContain('label "0" is no chunk id; give texts, or chunks by label');
  });

  test("takes an LHV1 file with a graph of coder/hnsw, and refuses a snapshot of its own", async () => {
    const folder = makeFolder({
      "f.lhv1": writeLhv1({}, [sampleCoder()]),
      "s.lhv1": sampleSnapshot(),
      "t.json": '{"a":"one","b":"two","é":"three","four":"4","five":"5"}',
    });
    const report = await lodestoreJson<ImportReport>(
      folder,
      "lhv1",
      "import",
      "f.lhv1",
      "--model",
      "m",
      "--texts",
      "t.json",
    );
    expect(report).toMatchObject({ stored: 5, metric: "l2", dimensions: 3 });
    const own = await lodestore(folder, "lhv1", "import", "s.lhv1", "--model", "m");
    expect(own).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("[UNSUPPORTED]") });
  });

  test.each([
    [["h.index"], 2, "--model is missing: which model made the vectors?"],
    [["h.index", "--model", "m", "--map", "t.json", "--texts", "t.json"], 2, "--map and --texts are either or"],
    [["h.index", "--model", "m", "--prefix", "x"], 2, "--prefix goes with --texts"],
    [["h.index", "--model", "m", "--metric", "manhattan"], 2, '--metric got "manhattan"; it takes cosine, dot, l2'],
    [["h.index", "--model", "m", "--texts", "no.json"], 2, "no.json cannot be read: ENOENT"],
    [["h.index", "--model", "m", "--texts", "bad.json"], 1, 'bad.json: pageContent of "0" is 3; it takes a text'],
    [["h.index", "--model", "m", "--map", "bad.json"], 1, 'bad.json: "0" is an object in the map; it takes a chunk id'],
    [["cut.index", "--model", "m", "--texts", "t.json"], 1, "cut.index: "],
    [["h.index", "--model", "x".repeat(201), "--texts", "t.json"], 2, "modelId got"],
    [["h.index", "--model", "m", "--texts", "t.json", "--prefix", "a/../b"], 2, 'prefix got "a/../b"'],
    [["a/h.index", "--model", "m", "--texts", "t.json"], 2, "args.json names no space of hnswlib (cosine, ip or l2)"],
    [["b/h.index", "--model", "m", "--texts", "t.json"], 2, "it says 7 dimensions, and the index has 8"],
    [["f.lhv1", "--model", "m", "--texts", "t.json", "--metric", "dot"], 2, 'metric got "dot"; the file says "l2"'],
  ])("refuses %j and says what is wrong", async (args, exit, message) => {
    const index = indexOf(TEXTS);
    const folder = makeFolder({
      "h.index": index,
      "a/h.index": index,
      "a/args.json": '{"space":"taxicab"}',
      "b/h.index": index,
      "b/args.json": '{"space":"cosine","numDimensions":7}',
      "cut.index": index.subarray(0, 300),
      "f.lhv1": writeLhv1({}, [sampleCoder()]),
      "t.json": '{"0":"x"}',
      "bad.json": '{"0":{"pageContent":3}}',
    });
    const { code, stdout, stderr } = await lodestore(folder, "lhv1", "import", ...args);
    expect([code, stdout]).toEqual([exit, ""]);
    expect(stderr).toContain(message);
  });

  test("says that a model's vectors are compared by another metric, and blames no process", async () => {
    const folder = makeFolder({ "h.index": indexOf(TEXTS), "t.json": '{"0":"x","1":"y","2":"z"}' });
    const args = ["lhv1", "import", "h.index", "--model", "m", "--texts", "t.json", "-q"];
    await lodestore(folder, ...args);
    const { code, stderr } = await lodestore(folder, ...args, "--metric", "dot");
    expect([code, stderr]).toEqual([3, expect.stringContaining("[CONFLICT]\n")]);
    expect(stderr).not.toContain("Another process");
  });

  test.skipIf(process.platform === "win32")("stops at Ctrl-C with whole documents, and goes on", async () => {
    const texts = Array.from({ length: 1500 }, (_, at) => `Text number ${at}.`);
    const folder = makeFolder({
      "h.index": indexOf(texts),
      "t.json": JSON.stringify(Object.fromEntries(texts.entries())),
    });
    const args = ["lhv1", "import", "h.index", "--model", "m", "--texts", "t.json"];
    const running = start(folder, args);
    await running.saysOnStderr("/1,500 vectors");
    running.child.kill("SIGINT");
    const { code, stdout, stderr } = await running.ended;
    expect([code, stdout]).toEqual([130, ""]);
    expect(stderr).toMatch(/cancelled: \S+ of 1,500 vectors are in, and stay\n/);
    expect(await lodestoreJson(folder, "doctor")).toMatchObject({ ok: true });
    const again = await lodestoreJson<ImportReport>(folder, ...args);
    expect(again.stored).toBe(1500);
    expect(again.documents.unchanged).toBeGreaterThan(0);
    expect(await lodestoreJson(folder, "stats")).toMatchObject({
      stats: { documents: 1500, embeddings: { committed: 1500 } },
    });
  });
});

describe("lodestore lhv1", () => {
  test("alone says which commands begin with it; help knows them", async () => {
    const folder = makeFolder();
    expect(await lodestore(folder, "lhv1")).toMatchObject({
      code: 2,
      stderr:
        'lodestore: "lhv1" is the first word of several commands\nThey are: lodestore lhv1 inspect, lodestore lhv1 import\n',
    });
    expect((await lodestore(folder, "help", "lhv1", "import")).stdout).toMatch(/^Usage: lodestore lhv1 import <file>/);
  });
});

const ada = dataFile("vectors/hnswlib-ada002/hnswlib.index");

test.skipIf(ada.missing)(
  `an index that LangChain wrote is imported${ada.missing ? ` (${ada.note})` : ""}`,
  async () => {
    const folder = makeFolder();
    const docstore = dataFile("vectors/hnswlib-ada002/docstore.json").path;
    const report = await lodestoreJson<ImportReport>(
      folder,
      "lhv1",
      "import",
      ada.path,
      "--model",
      "ada",
      "--texts",
      docstore,
      "--prefix",
      "ada",
    );
    expect(report).toMatchObject({ stored: 332, metric: "cosine", documents: { added: 332 }, unused: 0 });
    expect(await lodestoreJson(folder, "doctor")).toMatchObject({ ok: true });
  },
);
