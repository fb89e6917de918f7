import { describe, expect, test, vi } from "vitest";
import type { SearchResult } from "../../src/node.ts";
import { SERVER_DIMENSIONS, startEmbeddingServer } from "../support/embedding-server.ts";
import { lodestore, lodestoreJson, makeFolder, makeStore, writeFiles } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 60_000 });

const TWICE = "The glaze melts in the kiln at the cone that the potter has set, and it is blue. ".repeat(12);
const DOCUMENTS = {
  "docs/kiln.md": "# Kiln\n\nA kiln fires clay.\n",
  "docs/glaze.md": `# Glaze\n\n## One\n\n${TWICE}\n\n## Two\n\n${TWICE}\n`,
  "docs/wheel.md": "# Wheel\n\nClay is thrown on it.\n",
};

describe("lodestore search --mode", () => {
  test("vector finds by nearness: a misspelt word too, which words do not find", async () => {
    const folder = await makeStore(DOCUMENTS);
    expect(await lodestore(folder, "search", "potterr", "--mode", "lexical")).toMatchObject({ code: 1 });
    const { hits } = await lodestoreJson<SearchResult>(folder, "search", "potterr", "--mode", "vector");
    expect(hits[0]).toMatchObject({ scoreKind: "cosine", vectorRank: 1, lexicalRank: null });
    expect(hits[0]?.citation.workspacePath).toBe("glaze.md");
    const text = await lodestore(folder, "search", "potterr", "--mode", "vector", "-k", "1");
    expect(text.stdout).toMatch(/^1\. Glaze › (?:One|Two)\n {3}glaze\.md:/);
  });

  test("hybrid is both, and --explain says where each hit stands in each list and how they were made", async () => {
    const folder = await makeStore(DOCUMENTS);
    const { code, stdout, stderr } = await lodestore(folder, "search", "clay", "--mode", "hybrid", "--explain");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(
      / {2}rrf [\d.]+ · number \d by words \([\d.]+\) · number \d by vectors \([\d.]+\)\n[^]* · not by words · number /,
    );
    expect(stdout).toMatch(
      /\nMode hybrid, [^]*\nVectors: hashing, version 1, 384 dimensions\n {2}scan of (\d+) of \1 vectors; \1 evaluations\nFused: 2 by words \(weight 1\), \d by vectors \(weight 0\.05\)\nTime: .*vector [\d.]+ ms/,
    );
    const asJson = await lodestoreJson<SearchResult>(folder, "search", "clay", "--mode", "hybrid", "--explain");
    expect(asJson.explain).toMatchObject({ mode: "hybrid", vector: { plan: { kind: "scan" } } });
    expect(asJson.explain?.lists?.lexical).toHaveLength(2);
  });

  test("with --collapse leaves near-duplicates out and says how many", async () => {
    const folder = await makeStore(DOCUMENTS);
    const plain = await lodestoreJson<SearchResult>(folder, "search", "glaze", "--mode", "vector");
    const collapsed = await lodestoreJson<SearchResult>(folder, "search", "glaze", "--mode", "vector", "--collapse");
    expect(collapsed.hits.length).toBeLessThan(plain.hits.length);
    expect(collapsed.hits[0]?.collapsed?.length).toBeGreaterThan(0);
    const text = await lodestore(folder, "search", "glaze", "--mode", "vector", "--collapse");
    expect(text.stdout).toMatch(/\n {3}and \d passages? that mostly say the same\n/);
    const wrong = await lodestore(folder, "search", "glaze", "--collapse");
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("--collapse goes with --mode vector") });
    expect(await lodestore(folder, "search", "glaze", "--mode", "fuzzy")).toMatchObject({
      code: 2,
      stderr: 'lodestore search: --mode got "fuzzy"; it takes lexical, vector, hybrid\n',
    });
  });

  test("says how many passages have no embedding yet", async () => {
    const folder = makeFolder(DOCUMENTS);
    await lodestore(folder, "ingest", "docs", "--embedder", "none");
    const none = await lodestore(folder, "search", "clay", "--mode", "vector");
    expect(none).toMatchObject({ code: 1, stdout: "" });
    expect(none.stderr).toMatch(
      /^Nothing found for: clay\n(\d+) of \1 passages have no embedding of hashing, version 1 yet: lodestore embed\n$/,
    );
    expect((await lodestore(folder, "search", "clay")).stderr).toBe("");
    const without = await lodestore(folder, "search", "clay", "--mode", "vector", "--embedder", "none");
    expect(without).toMatchObject({
      code: 2,
      stderr: "lodestore search: --mode vector embeds the query, and the embedder is none\n",
    });
  });

  test("stands on words where the model does not answer, and says so; vector ends with the model's error", async () => {
    const folder = makeFolder(DOCUMENTS);
    {
      await using server = await startEmbeddingServer();
      const spec = { kind: "http", api: "openai", url: server.url, model: "m", dimensions: SERVER_DIMENSIONS };
      writeFiles(folder, { "e.json": JSON.stringify({ ...spec, retries: 0 }) });
      await lodestore(folder, "ingest", "docs", "--embedder", "e.json");
    }
    const model = ["--embedder", "e.json"];
    const hybrid = await lodestore(folder, "search", "clay", "--mode", "hybrid", ...model);
    expect(hybrid).toMatchObject({ code: 0, stdout: expect.stringContaining("kiln.md:") });
    expect(hybrid.stderr).toMatch(/^By words alone, for the query could not be embedded: .* \[\w+\]\n$/);
    const vector = await lodestore(folder, "search", "clay", "--mode", "vector", ...model);
    expect(vector).toMatchObject({ code: 3, stdout: "" });
    expect(vector.stderr).toMatch(/^lodestore search: .* \[\w+\]\nThat is the model's failure; the store is well\./);
  });
});
