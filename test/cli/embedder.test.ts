import { describe, expect, test, vi } from "vitest";
import type { EmbeddingReport, StoreStats } from "../../src/node.ts";
import { json, SERVER_DIMENSIONS, startEmbeddingServer } from "../support/embedding-server.ts";
import { lodestore, lodestoreJson, makeFolder, manyNotes, start } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 60_000 });

const KEY = "sk-very-secret-key";

interface Ingested {
  added: number;
  embedding: (EmbeddingReport & { error?: { code: string; message: string } }) | null;
}

function httpConfig(url: string, changed: object = {}): string {
  const spec = { kind: "http", api: "openai", url, model: "tiny", dimensions: SERVER_DIMENSIONS };
  return JSON.stringify({ ...spec, apiKey: KEY, retries: 0, maxBatch: 4, ...changed });
}

async function embeddingsOf(folder: string): Promise<StoreStats["embeddings"]> {
  const { stats } = await lodestoreJson<{ stats: StoreStats }>(folder, "doctor");
  return stats.embeddings;
}

describe("--embedder", () => {
  test("is hashing where nothing is said, and with none nothing is embedded", async () => {
    const folder = makeFolder(manyNotes(3));
    const none = await lodestore(folder, "ingest", "docs", "--embedder", "none");
    expect(none).toMatchObject({ code: 0, stdout: expect.not.stringContaining("embedded") });
    expect(await embeddingsOf(folder)).toEqual({ committed: 0, pending: 0, tombstones: 0 });
    const again = await lodestore(folder, "ingest", "docs");
    expect(again.stdout).toMatch(/\n6 passages embedded, .* \(hashing, version 1, 384 dimensions\)\n/);
    expect(await embeddingsOf(folder)).toMatchObject({ committed: 6 });
  });

  test("is read from LODESTORE_EMBEDDER, after the option", async () => {
    const folder = makeFolder(manyNotes(1));
    const env = { LODESTORE_EMBEDDER: "none" };
    await start(folder, ["ingest", "docs"], { env }).ended;
    expect(await embeddingsOf(folder)).toMatchObject({ committed: 0 });
    await start(folder, ["ingest", "docs", "--embedder", "hashing"], { env }).ended;
    expect(await embeddingsOf(folder)).toMatchObject({ committed: 2 });
    const bad = await start(folder, ["list"], { env: { LODESTORE_EMBEDDER: "no/such.json" } }).ended;
    expect(bad).toMatchObject({ code: 2, stderr: expect.stringContaining('LODESTORE_EMBEDDER got "no/such.json"') });
  });

  test("takes a file that describes a model", async () => {
    await using server = await startEmbeddingServer();
    const folder = makeFolder({ ...manyNotes(3), "e.json": `\uFEFF${httpConfig(server.url)}` });
    const report = await lodestoreJson<Ingested>(folder, "ingest", "docs", "--embedder", "e.json");
    expect(report).toMatchObject({ added: 3, embedding: { modelId: "tiny", embedded: 6, failed: 0, serving: "1" } });
    expect(server.seen[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  test.each([
    [
      "hash",
      /--embedder got "hash"; it takes none, hashing or a JSON file, and there is no such file\nDid you mean: h/,
    ],
    ["no.json", /--embedder got "no\.json"; it takes none, hashing or a JSON file, and there is no such file\n/],
    ["docs", /--embedder docs: EISDIR/],
    ["empty.json", /--embedder empty\.json: it is not JSON\n/],
    ["cut.json", /--embedder cut\.json: it is not JSON\n/],
    ["comma.json", /--embedder comma\.json: it is not JSON \(at position 18 \(line 1 column 19\)\)\n/],
    ["list.json", /--embedder list\.json: embedder got a list of 1; it takes an object with a kind\n/],
    ["null.json", /--embedder null\.json: embedder got null/],
    ["kind.json", /--embedder kind\.json: embedder\.kind got "magic"; it takes "hashing", "http" or "transformers"\n/],
    ["unknown.json", /--embedder unknown\.json: options has an unknown field "size"; it takes dimensions\n/],
    ["zero.json", /--embedder zero\.json: dimensions got 0; it takes an integer from 1 to 4096\n/],
    ["nomodel.json", /--embedder nomodel\.json: model got undefined; it takes a text/],
    ["url.json", /--embedder url\.json: url takes an absolute http: or https: address/],
    ["large.json", /--embedder large\.json: it has \d+ bytes; a description of an embedder has up to 1048576\n/],
  ])("refuses %s, names file and field, shows no key, and makes no store", async (config, message) => {
    const folder = makeFolder({
      ...manyNotes(1),
      "empty.json": "",
      "cut.json": `${httpConfig("http://127.0.0.1:1").slice(0, -1)},"apiKey":${KEY}`,
      "comma.json": '{"kind":"hashing" "dimensions":3}',
      "list.json": "[1]",
      "null.json": "null",
      "kind.json": '{"kind":"magic"}',
      "unknown.json": '{"kind":"hashing","size":3}',
      "zero.json": '{"kind":"hashing","dimensions":0}',
      "nomodel.json": '{"kind":"http","api":"openai","url":"http://127.0.0.1:1","dimensions":3}',
      "url.json": httpConfig("ftp://127.0.0.1"),
      "large.json": " ".repeat(2 ** 20 + 1),
    });
    const { code, stdout, stderr } = await lodestore(folder, "ingest", "docs", "--embedder", config);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain(KEY);
    expect(await lodestore(folder, "list")).toMatchObject({ code: 3 });
  });
});

describe("an ingest whose model fails", () => {
  test("has its documents in, found by words, says so, and exits with 1", async () => {
    await using server = await startEmbeddingServer();
    const folder = makeFolder({ ...manyNotes(3), "e.json": httpConfig(server.url) });
    const refuse = json(401, { error: { message: "who are you?" } });
    server.next.push(refuse);
    const text = await lodestore(folder, "ingest", "docs", "--embedder", "e.json", "--quiet");
    expect(text).toMatchObject({ code: 1, stderr: "" });
    expect(text.stdout).toMatch(/^3 files: 3 added[^]*\nNot embedded: .*401.*\[\w+\]\n.*To go on: lodestore embed\n/);
    expect(await lodestore(folder, "search", "glaze")).toMatchObject({ code: 0 });

    server.next.push(refuse);
    const asJson = await lodestore(folder, "ingest", "docs", "--embedder", "e.json", "--json");
    expect(asJson).toMatchObject({ code: 1, stderr: "" });
    const { embedding } = JSON.parse(asJson.stdout) as Ingested;
    expect(embedding?.error?.message).toContain("401");
    expect(asJson.stdout).not.toContain(KEY);

    const again = await lodestoreJson<Ingested>(folder, "ingest", "docs", "--embedder", "e.json");
    expect(again).toMatchObject({ added: 0, embedding: { embedded: 6 } });
  });

  test.skipIf(process.platform === "win32")(
    "and one that is stopped while it embeds leave whole documents",
    async () => {
      await using server = await startEmbeddingServer();
      const folder = makeFolder({ ...manyNotes(6), "e.json": httpConfig(server.url) });
      const asked = new Promise<void>((resolve) => {
        // The second request is not answered.
        server.next.push(
          (response, request) => answered(response, request.body.input.length),
          () => resolve(),
        );
      });
      const running = start(folder, ["ingest", "docs", "--embedder", "e.json"]);
      await asked;
      running.child.kill("SIGINT");
      const { code, stdout, stderr } = await running.ended;
      expect([code, stdout]).toEqual([130, ""]);
      expect(stderr).toMatch(/Stopping after the batch at hand/);
      expect(stderr).toMatch(/cancelled: 6 documents taken in[^]*All files are in; \d+ of 12 passages are embedded/);
      const kept = await embeddingsOf(folder);
      expect(kept).toMatchObject({ pending: 0, tombstones: 0 });
      expect(kept.committed).toBeGreaterThan(0);
      expect(kept.committed).toBeLessThan(12);
      expect(await lodestore(folder, "search", "glaze")).toMatchObject({ code: 0 });
      const again = await lodestoreJson<Ingested>(folder, "ingest", "docs", "--embedder", "e.json");
      expect(again).toMatchObject({ added: 0, embedding: { embedded: 12 - kept.committed } });
    },
  );
});

function answered(response: Parameters<ReturnType<typeof json>>[0], count: number): void {
  const data = Array.from({ length: count }, (_, index) => ({
    object: "embedding",
    index,
    embedding: Array.from({ length: SERVER_DIMENSIONS }, (_, at) => 1 + at + index),
  }));
  json(200, { object: "list", data })(response);
}
