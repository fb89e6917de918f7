import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Embedder } from "../../src/contracts/embedder.ts";
import type { SearchHit, SearchQuery } from "../../src/contracts/search.ts";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { Store } from "../../src/contracts/store.ts";
import { createHashingEmbedder } from "../../src/drivers/embed-hashing.ts";
import { StorageError } from "../../src/errors.ts";
import type { AnyVectorStore } from "../../src/store/embeddings/vector-side.ts";
import { Search } from "../../src/store/search/search.ts";
import { fuse, type RankedKey } from "../../src/store/search/fuse.ts";
import { lanceVectors, temporaryFolder } from "../support/lance-vectors.ts";
import { type EmbeddingStore, openEmbeddingStore } from "../support/open-embedding-store.ts";
import { flatVectors } from "../support/vector-stores.ts";

/** Two dimensions that a test reads off the text itself: how much it is of the sea, and how much of the kitchen. */
const SEA = /sea|ship|harbou?r|sailor/giu;
const KITCHEN = /kitchen|bread|oven|baker/giu;
const topics: Embedder = {
  modelId: "topics",
  modelVersion: "1",
  dimensions: 3,
  maxBatch: 16,
  embed: async (texts) =>
    texts.map((text) => Float32Array.of((text.match(SEA) ?? []).length, (text.match(KITCHEN) ?? []).length, 0.1)),
};

const FILES = [
  { path: "harbour.md", content: "# Harbour\n\nShips lie at the quay, and sailors sleep.", tags: ["sea"] },
  { path: "oven.md", content: "# Oven\n\nThe baker takes bread out of it.", tags: ["kitchen"] },
  { path: "galley.md", content: "# Galley\n\nThe kitchen of a ship, with its oven.", tags: ["sea", "kitchen"] },
  { path: "tax.md", content: "# Tax\n\nBread is taxed at seven per cent.", tags: ["office"] },
];

const paths = (hits: readonly SearchHit[]): string[] => hits.map((hit) => hit.citation.workspacePath);

const folders: { remove: () => void }[] = [];
afterAll(() => {
  for (const { remove } of folders) remove();
});

function lance(db: SqlDatabase): AnyVectorStore {
  const folder = temporaryFolder();
  folders.push(folder);
  return lanceVectors(db, folder.path);
}

describe.each<{ engine: string; vectors: (db: SqlDatabase) => AnyVectorStore }>([
  { engine: "the exact store", vectors: flatVectors },
  { engine: "Lance tables", vectors: lance },
])("over $engine:", ({ vectors }) => {
  const open = (embedder?: Embedder): Promise<EmbeddingStore> => openEmbeddingStore({ vectors, embedder });

  describe("a search by meaning", () => {
    let opened: EmbeddingStore;
    let store: Store;
    beforeAll(async () => {
      opened = await open(topics);
      ({ store } = opened);
      await store.ingest(FILES, { embed: "wait" });
    });
    afterAll(() => opened.store.close());

    test("finds what shares no word with the query, nearest first", async () => {
      const { hits } = await store.search({ text: "sea", mode: "vector", k: 2 });
      expect(paths(hits)).toEqual(["harbour.md", "galley.md"]);
      expect(hits[0]).toMatchObject({ scoreKind: "cosine", vectorRank: 1, lexicalRank: null, lexicalScore: null });
      expect(hits[0]?.score).toBe(hits[0]?.vectorScore);
      expect(hits[0]?.score).toBeGreaterThan(0.99);
    });

    test("takes the caller's vector, with no text at all", async () => {
      const { hits } = await store.search({ vector: Float32Array.of(0, 1, 0), mode: "vector", k: 1 });
      expect(paths(hits)).toEqual(["oven.md"]);
    });

    test("fuses both lists and says how, in every hit and in explain", async () => {
      const { hits, explain } = await store.search({ text: "bread oven", mode: "hybrid", explain: true });
      expect(paths(hits)[0]).toBe("oven.md");
      for (const hit of hits) {
        const lexical = hit.lexicalRank === null ? 0 : 1 / (60 + hit.lexicalRank);
        const vector = hit.vectorRank === null ? 0 : 1.2 / (60 + hit.vectorRank);
        expect(hit.score).toBeCloseTo(lexical + vector, 12);
        expect(hit.scoreKind).toBe("rrf");
      }
      expect(explain?.weights).toEqual({ lexical: 1, vector: 1.2 });
      expect(explain?.lists?.vector).toHaveLength(4);
      for (const side of ["lexical", "vector"] as const) {
        const ranks = new Map(explain?.lists?.[side].map(({ chunkId, rank }) => [chunkId, rank]));
        expect(hits.map((hit) => hit[`${side}Rank`])).toEqual(hits.map(({ chunkId }) => ranks.get(chunkId) ?? null));
      }
      expect(explain?.vector).toMatchObject({ modelId: "topics", modelVersion: "1", plan: { kind: "scan", total: 4 } });
      expect(explain?.steps.map(({ name }) => name)).toEqual(
        expect.arrayContaining(["embed", "words", "vector", "hits"]),
      );
    });

    test("obeys weights: none for vectors leaves the order of words, none for words that of vectors", async () => {
      const query: SearchQuery = { text: "bread ship", mode: "hybrid" };
      const words = await store.search({ text: "bread ship" });
      const byWords = await store.search({ ...query, weights: { vector: 0 } });
      expect(paths(byWords.hits)).toEqual(paths(words.hits));
      const nearest = await store.search({ text: "bread ship", mode: "vector" });
      const byVectors = await store.search({ ...query, weights: { lexical: 0 } });
      expect(paths(byVectors.hits)).toEqual(paths(nearest.hits));
    });

    test("names the chunks of both lists in explain, of one without weight, too", async () => {
      const { explain } = await store.search({
        text: "bread",
        mode: "hybrid",
        weights: { vector: 0 },
        explain: true,
      });
      expect(explain?.lists?.vector.map(({ chunkId }) => chunkId)).not.toContain("");
      expect(explain?.lists?.vector).toHaveLength(4);
    });

    test.each(["vector", "hybrid"] as const)(
      "filters in mode %s, and still gives every hit that matches",
      async (mode) => {
        const { hits } = await store.search({ text: "bread", mode, filters: { tagsAny: ["sea"] } });
        expect(paths(hits).toSorted()).toEqual(["galley.md", "harbour.md"]);
      },
    );

    test.each(["vector", "hybrid"] as const)("pages through mode %s without a gap or a repetition", async (mode) => {
      const whole = await store.search({ text: "bread ship", mode, k: 4 });
      expect(whole.nextCursor).toBeUndefined();
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.search({
          text: "bread ship",
          mode,
          k: 1,
          ...(cursor === undefined ? {} : { cursor }),
        });
        seen.push(...paths(page.hits));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(seen).toEqual(paths(whole.hits));
    });

    test("refuses a cursor of another mode, vector or weight", async () => {
      const { nextCursor } = await store.search({ text: "bread", mode: "hybrid", k: 1 });
      for (const other of [
        { mode: "vector" },
        { mode: "hybrid", weights: { vector: 2 } },
        { mode: "lexical" },
      ] as const) {
        await expect(store.search({ text: "bread", k: 1, ...other, cursor: nextCursor! })).rejects.toMatchObject({
          code: "INVALID_INPUT",
        });
      }
    });

    test("refuses a cursor that was tampered with", async () => {
      const { nextCursor } = await store.search({ text: "bread", mode: "vector", k: 1 });
      const [query] = JSON.parse(atob(nextCursor!)) as [string];
      for (const values of [[5000, 1, true], [0, 1, true], [100, -1, true], [100, 1, 1], [100, 1, true, 1], []]) {
        const cursor = btoa(JSON.stringify([query, ...values])).replaceAll("=", "");
        await expect(store.search({ text: "bread", mode: "vector", k: 1, cursor })).rejects.toMatchObject({
          code: "INVALID_INPUT",
          message: "cursor is not one that a search returned",
        });
      }
    });

    test("finds nothing by meaning for an empty text, and all the words' hits when only words are given", async () => {
      expect((await store.search({ text: "  ", mode: "vector" })).hits).toEqual([]);
      expect((await store.search({ text: "", mode: "hybrid" })).hits).toEqual([]);
    });

    test.each<[string, SearchQuery, string, string]>([
      ["a vector of another length", { mode: "vector", vector: Float32Array.of(1, 0) }, "INVALID_INPUT", "vector"],
      [
        "a vector that is not finite",
        { mode: "vector", vector: Float32Array.of(1, Number.NaN, 0) },
        "INVALID_INPUT",
        "vector[1]",
      ],
      ["a vector of zeros", { mode: "vector", vector: new Float32Array(3) }, "INVALID_INPUT", "vector"],
      [
        "a model that there is not",
        { mode: "vector", vector: Float32Array.of(0, 1, 0), modelId: "tropics" },
        "NOT_FOUND",
        '"tropics"; there are those of "topics"',
      ],
      [
        "a model that there is not, beside words",
        { text: "bread", mode: "hybrid", vector: Float32Array.of(0, 1, 0), modelId: "tropics" },
        "NOT_FOUND",
        '"tropics"',
      ],
      [
        "a vector that is a list",
        { mode: "vector", vector: [1, 0, 0] as unknown as Float32Array },
        "INVALID_INPUT",
        "vector",
      ],
      [
        "a weight below zero",
        { mode: "hybrid", text: "a", weights: { vector: -1 } },
        "INVALID_INPUT",
        "weights.vector",
      ],
      ["another model's text", { mode: "vector", text: "a", modelId: "other" }, "UNSUPPORTED", "other"],
      ["no text and no vector", { mode: "vector" }, "INVALID_INPUT", "text"],
    ])("refuses %s by name", async (_, query, code, names) => {
      const failure = await store.search(query).then(
        () => undefined,
        (error: unknown) => error as StorageError,
      );
      expect(failure).toBeInstanceOf(StorageError);
      expect(failure?.code).toBe(code);
      expect(failure?.message).toContain(names);
    });
  });

  describe("near-duplicates", () => {
    const said =
      "The lighthouse keeper climbs the stairs every evening and lights the great lamp for the ships at sea.";

    test("of one document are left out where that is asked for, and named in the hit that stands for them", async () => {
      await using opened = await open(topics);
      const { store } = opened;
      const twice = `# One\n\n${said}\n\n# Two\n\n${said}\n\n# Three\n\nThe bread is in the oven of the sea kitchen.`;
      await store.ingest(
        [
          { path: "twice.md", content: twice },
          { path: "other.md", content: `# Other\n\n${said}` },
        ],
        { embed: "wait" },
      );
      const all = await store.search({ text: "sea ships", mode: "hybrid" });
      expect(all.hits).toHaveLength(4);
      const { hits } = await store.search({ text: "sea ships", mode: "hybrid", collapse: true });
      expect(hits).toHaveLength(3);
      expect(new Set(paths(hits))).toEqual(new Set(["twice.md", "other.md"]));
      const standing = hits.find((hit) => hit.collapsed !== undefined);
      expect(standing?.collapsed).toHaveLength(1);
      expect(hits.map(({ chunkId }) => chunkId)).not.toContain(standing?.collapsed?.[0]);
      const pages: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.search({
          text: "sea ships",
          mode: "hybrid",
          collapse: true,
          k: 1,
          ...(cursor === undefined ? {} : { cursor }),
        });
        pages.push(...page.hits.map(({ chunkId }) => chunkId));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(pages).toEqual(hits.map(({ chunkId }) => chunkId));
    });
  });

  describe("without what it needs", () => {
    test("a store without an embedder finds by words in hybrid mode only with the caller's vector, and says so", async () => {
      await using opened = await open();
      await opened.store.ingest(FILES);
      await expect(opened.store.search({ text: "bread", mode: "hybrid" })).rejects.toMatchObject({
        code: "UNSUPPORTED",
      });
    });

    test("hybrid finds by words while nothing has been embedded", async () => {
      await using opened = await open(topics);
      await opened.store.ingest(FILES, { embed: "off" });
      const { hits } = await opened.store.search({ text: "bread", mode: "hybrid" });
      expect(paths(hits).toSorted()).toEqual(["oven.md", "tax.md"]);
      expect((await opened.store.search({ text: "bread", mode: "vector" })).hits).toEqual([]);
    });

    test("hybrid answers with words and says why when the embedder fails; vector throws what it threw", async () => {
      let fails = false;
      const moody: Embedder = {
        ...topics,
        embed: async (texts, options) => {
          if (fails)
            throw new StorageError("TIMEOUT", "the model did not answer", {
              capability: "embedder",
              operation: "embed",
            });
          return topics.embed(texts, options);
        },
      };
      await using opened = await open(moody);
      await opened.store.ingest(FILES, { embed: "wait" });
      fails = true;
      const { hits, withoutVectors } = await opened.store.search({ text: "bread", mode: "hybrid" });
      expect(paths(hits).toSorted()).toEqual(["oven.md", "tax.md"]);
      expect(withoutVectors).toEqual({ code: "TIMEOUT", message: "the model did not answer" });
      await expect(opened.store.search({ text: "bread", mode: "vector" })).rejects.toMatchObject({ code: "TIMEOUT" });
    });

    test("a new version of the model does not ask the old one's embeddings, which go on serving the caller's vectors", async () => {
      await using opened = await open(topics);
      const { store, db, vectors } = opened;
      await store.ingest(FILES, { embed: "wait" });
      const search = new Search(db, { vectors, embedder: { ...topics, modelVersion: "2" } });
      const { hits, withoutVectors } = await search.search({ text: "bread", mode: "hybrid" });
      expect(paths(hits).toSorted()).toEqual(["oven.md", "tax.md"]);
      expect(withoutVectors).toMatchObject({
        code: "CONFLICT",
        message: expect.stringContaining("takes over") as string,
      });
      await expect(search.search({ text: "bread", mode: "vector" })).rejects.toMatchObject({ code: "CONFLICT" });
      const asked = await search.search({ vector: Float32Array.of(0, 1, 0), mode: "vector", k: 1 });
      expect(paths(asked.hits)).toEqual(["oven.md"]);
    });

    test("whatever an embedder throws: hybrid answers with words, vector throws it as an error of the embedder", async () => {
      const thrown = new TypeError("fetch failed");
      const broken: Embedder = {
        ...topics,
        embed: async (texts, options) => {
          if (options.kind === "query") throw thrown;
          return topics.embed(texts, options);
        },
      };
      await using opened = await open(broken);
      await opened.store.ingest(FILES, { embed: "wait" });
      const { hits, withoutVectors } = await opened.store.search({ text: "bread", mode: "hybrid" });
      expect(paths(hits).toSorted()).toEqual(["oven.md", "tax.md"]);
      expect(withoutVectors).toMatchObject({
        code: "DRIVER",
        message: expect.stringContaining("fetch failed") as string,
      });
      const failure = await opened.store.search({ text: "bread", mode: "vector" }).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(StorageError);
      expect(failure).toMatchObject({ code: "DRIVER", capability: "embedder", cause: thrown });
    });

    test("an embedder of other dimensions than what is stored answers with words until its own are there", async () => {
      await using opened = await open(topics);
      const { store, db, vectors } = opened;
      await store.ingest(FILES, { embed: "wait" });
      const wider: Embedder = {
        ...topics,
        dimensions: 4,
        embed: async (texts) => texts.map(() => Float32Array.of(1, 0, 0, 0)),
      };
      const search = new Search(db, { vectors, embedder: wider });
      const { hits, withoutVectors } = await search.search({ text: "bread", mode: "hybrid" });
      expect(paths(hits).toSorted()).toEqual(["oven.md", "tax.md"]);
      expect(withoutVectors).toMatchObject({
        code: "CONFLICT",
        message: "the embeddings there are have 3 dimensions, and the embedder makes 4",
      });
    });

    test("all pages stand on what the first stood on: words alone, or words and vectors", async () => {
      let fails = false;
      const moody: Embedder = {
        ...topics,
        embed: async (texts, options) => {
          if (fails) throw new StorageError("TIMEOUT", "no answer", { capability: "embedder", operation: "embed" });
          return topics.embed(texts, options);
        },
      };
      await using opened = await open(moody);
      await opened.store.ingest(FILES, { embed: "wait" });
      const query: SearchQuery = { text: "bread", mode: "hybrid", k: 1 };
      const both = await opened.store.search(query);
      fails = true;
      await expect(opened.store.search({ ...query, cursor: both.nextCursor! })).rejects.toMatchObject({
        code: "TIMEOUT",
      });
      // Another length of snippets: the answer of before is kept.
      const words = await opened.store.search({ ...query, snippetLength: 100 });
      fails = false;
      const second = await opened.store.search({ ...query, cursor: words.nextCursor! });
      expect(second.withoutVectors).toMatchObject({ code: "CONFLICT" });
      expect(paths([...words.hits, ...second.hits]).toSorted()).toEqual(["oven.md", "tax.md"]);
      expect(second.nextCursor).toBeUndefined();
    });

    test("a search under way never shows another chunk in the place of one that went", async () => {
      const meanwhile: { run?: () => Promise<unknown> } = {};
      const slow: Embedder = {
        ...topics,
        embed: async (texts, options) => {
          if (options.kind === "query") await meanwhile.run?.();
          return topics.embed(texts, options);
        },
      };
      await using opened = await open(slow);
      const { store, db } = opened;
      await store.ingest(FILES, { embed: "wait" });
      const keys = new Set<number>();
      const noteKeys = async (): Promise<number> => {
        const rows = await db.all<{ key: number }>("SELECT chunk_key AS key FROM chunks");
        for (const { key } of rows) keys.add(key);
        return rows.length;
      };
      let written = await noteKeys();
      // The newest file: its keys would be the next to be given.
      for (const content of ["# Tax\n\nA giraffe pays none.", "# Tax\n\nAn ibis does."]) {
        await store.ingest({ path: "tax.md", content }, { embed: "off" });
        await noteKeys();
        written++;
      }
      expect(keys.size).toBe(written);
      meanwhile.run = () =>
        store.ingest({ path: "tax.md", content: "# Other\n\nNothing of that kind." }, { embed: "off" });
      const { hits } = await store.search({ text: "ibis", mode: "hybrid" });
      for (const { snippet, lexicalRank } of hits)
        expect(lexicalRank !== null && !snippet.text.includes("ibis")).toBe(false);
    });

    test("a search during the change to a new version finds what it found before and after", async () => {
      await using opened = await open();
      const { store, db, vectors } = opened;
      await store.ingest(FILES);
      const chunks = await db.all<{ id: string }>("SELECT chunk_id AS id FROM chunks");
      const put = (modelVersion: string): Promise<unknown> =>
        store.embeddings.put(
          { modelId: "m", modelVersion, dimensions: 2 },
          chunks.map(({ id }, at) => ({ chunkId: id, vector: Float32Array.of(1, at) })),
        );
      await put("1");
      let meanwhile: (() => Promise<unknown>) | undefined = () => put("2");
      const changing = new Proxy(vectors, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== "function") return value;
          return async (...args: unknown[]) => {
            if (name === "nearest") {
              const once = meanwhile;
              meanwhile = undefined;
              await once?.();
            }
            return (value as (...all: unknown[]) => unknown).apply(target, args);
          };
        },
      });
      const search = new Search(db, { vectors: changing });
      const query: SearchQuery = { vector: Float32Array.of(1, 0), mode: "vector", explain: true };
      const { hits, explain } = await search.search(query);
      expect(hits).toHaveLength(4);
      expect(explain?.vector?.modelVersion).toBe("2");
    });

    test("an aborted search ends with ABORTED while the embedder works", async () => {
      const aborter = new AbortController();
      const slow: Embedder = {
        ...topics,
        embed: async (texts, options) => {
          if (options.kind === "query") aborter.abort();
          return topics.embed(texts, options);
        },
      };
      await using opened = await open(slow);
      await opened.store.ingest(FILES, { embed: "wait" });
      const search = opened.store.search({ text: "bread", mode: "hybrid" }, { signal: aborter.signal });
      await expect(search).rejects.toMatchObject({ code: "ABORTED" });
    });
  });

  test("the built-in embedder finds word parts that words do not", async () => {
    await using opened = await open(createHashingEmbedder());
    await opened.store.ingest(FILES, { embed: "wait" });
    const query: SearchQuery = { text: "harbourmaster", stemming: "off" };
    expect((await opened.store.search(query)).hits).toEqual([]);
    expect(paths((await opened.store.search({ ...query, mode: "hybrid" })).hits)[0]).toBe("harbour.md");
  });

  describe("of two models", () => {
    const put = async (opened: EmbeddingStore, modelId: string, towards: number): Promise<void> => {
      const chunks = await opened.db.all<{ id: string }>("SELECT chunk_id AS id FROM chunks ORDER BY chunk_key");
      await opened.store.embeddings.put(
        { modelId, modelVersion: "1", dimensions: 3 },
        chunks.map(({ id }, at) => ({ chunkId: id, vector: Float32Array.of(at === towards ? 1 : 0, 1, 0) })),
      );
    };
    const query: SearchQuery = { vector: Float32Array.of(1, 0, 0), mode: "vector", k: 1 };

    test("of equal dimensions the embedder's is asked, and without an embedder one must be named", async () => {
      await using opened = await open();
      await opened.store.ingest(FILES);
      await put(opened, "topics", 1);
      await put(opened, "others", 2);
      await expect(opened.store.search(query)).rejects.toMatchObject({
        code: "INVALID_INPUT",
        message: expect.stringContaining('"others", "topics"') as string,
      });
      const { db, vectors } = opened;
      const [byDefault] = (await new Search(db, { vectors, embedder: topics }).search(query)).hits;
      const [named] = (await opened.store.search({ ...query, modelId: "topics" })).hits;
      expect(byDefault?.chunkId).toBe(named?.chunkId);
    });

    test("the one that is left is found when the other was dropped", async () => {
      await using opened = await open();
      await opened.store.ingest(FILES);
      await put(opened, "topics", 1);
      await put(opened, "others", 2);
      await opened.store.embeddings.drop({ modelId: "others", modelVersion: "1", dimensions: 3 });
      expect((await opened.store.search(query)).hits).toHaveLength(1);
    });
  });

  describe("pages of many hits", () => {
    const COUNT = 260;
    let opened: EmbeddingStore;
    beforeAll(async () => {
      opened = await open();
      await opened.store.ingest(
        Array.from({ length: COUNT }, (_, at) => ({ path: `${at}.md`, content: `# File ${at}\n\nclay ${at}` })),
      );
      const chunks = await opened.db.all<{ id: string }>("SELECT chunk_id AS id FROM chunks");
      // Many share a vector: nothing but their ids decides between them.
      await opened.store.embeddings.put(
        { modelId: "m", modelVersion: "1", dimensions: 2 },
        chunks.map(({ id }, at) => ({ chunkId: id, vector: Float32Array.of(1, at % 4) })),
      );
    });
    afterAll(() => opened.store.close());

    test.each([
      ["vector", 7],
      ["vector", 50],
      ["hybrid", 10],
      ["hybrid", 33],
    ] as const)("in mode %s, %i a page, go on to the end, each hit once", async (mode, k) => {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await opened.store.search({
          text: "clay",
          vector: Float32Array.of(1, 0),
          mode,
          k,
          ...(cursor === undefined ? {} : { cursor }),
        });
        expect(page.hits.length).toBeGreaterThan(0);
        seen.push(...page.hits.map(({ chunkId }) => chunkId));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(seen).toHaveLength(COUNT);
      expect(new Set(seen).size).toBe(COUNT);
    });

    test("of equal nearness stand by chunk id", async () => {
      const { hits } = await opened.store.search({ vector: Float32Array.of(1, 0), mode: "vector", k: 60 });
      expect(new Set(hits.map(({ score }) => score)).size).toBe(1);
      const ids = hits.map(({ chunkId }) => chunkId);
      expect(ids).toEqual(ids.toSorted());
    });
  });

  test("a vector that is not finite is refused before anything has been embedded, too", async () => {
    await using opened = await open();
    const vector = Float32Array.of(1, Number.NaN);
    await expect(opened.store.search({ vector, mode: "vector" })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("vector[1]") as string,
    });
  });
});

describe("reciprocal rank fusion", () => {
  const key = (chunkKey: number, score: number): RankedKey => ({ chunkKey, score });

  test("adds weight / (60 + rank), and breaks ties by lexical rank; the rest stand by chunk key", () => {
    const fused = fuse([key(1, 9), key(2, 8)], [key(2, 0.9), key(3, 0.8), key(4, 0.7)], { lexical: 1, vector: 1 });
    expect(fused.map(({ chunkKey }) => chunkKey)).toEqual([2, 1, 3, 4]);
    expect(fused[0]?.score).toBeCloseTo(1 / 62 + 1 / 61, 15);
    const tied = fuse([key(7, 5)], [key(3, 0.5)], { lexical: 1, vector: 1 });
    expect(tied.map(({ chunkKey }) => chunkKey)).toEqual([7, 3]);
    const byId = fuse([], [key(9, 0.5), key(3, 0.5)], { lexical: 1, vector: 1 });
    expect(byId.map(({ chunkKey, vector }) => [chunkKey, vector?.rank])).toEqual([
      [3, 1],
      [9, 1],
    ]);
  });

  test("equals a naive sum over both lists", () => {
    const list = fc
      .uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 20 })
      .map((keys) => keys.map((chunkKey, i) => key(chunkKey, 100 - i)));
    fc.assert(
      fc.property(list, list, fc.double({ min: 0, max: 10, noNaN: true }), (lexical, vector, weight) => {
        const fused = fuse(lexical, vector, { lexical: 1, vector: weight });
        const at = (ranked: RankedKey[], chunkKey: number): number =>
          ranked.findIndex((one) => one.chunkKey === chunkKey);
        for (const { chunkKey, score } of fused) {
          const l = at(lexical, chunkKey);
          const v = at(vector, chunkKey);
          expect(score).toBeCloseTo((l < 0 ? 0 : 1 / (61 + l)) + (v < 0 ? 0 : weight / (61 + v)), 12);
        }
        expect(fused.map(({ score }) => score)).toEqual(fused.map(({ score }) => score).toSorted((a, b) => b - a));
      }),
    );
  });
});
