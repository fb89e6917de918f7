import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SearchQuery, SearchResult } from "../../src/contracts/search.ts";
import { StorageError } from "../../src/errors.ts";
import { AllowedChunks } from "../../src/store/allowed-chunks.ts";
import { hash32 } from "../../src/store/ids.ts";
import { SearchCache } from "../../src/store/search/search-cache.ts";
import { Search } from "../../src/store/search/search.ts";
import { archiveOf, inPieces } from "../support/archives.ts";
import { allChunks, type EmbeddingStore, openEmbeddingStore } from "../support/open-embedding-store.ts";
import { openTestStore } from "../support/open-test-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { hookedVectors } from "../support/vector-stores.ts";

const WORDS = ["kiln", "glaze", "clay", "ash"];
const path = fc.constantFrom("a.md", "b.md", "c/d.md");
const words = fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 6 });
const tag = fc.constantFrom("hot", "cold");

/** Every kind of write that a store takes. */
const write = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("ingest" as const), path, words }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), path }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("tag" as const), path, tag }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("trust" as const), path, trust: fc.constantFrom(0, 0.5, 1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("title" as const), path, title: fc.constantFrom(...WORDS) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("chunks" as const), path }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("embed" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("put" as const),
      version: fc.constantFrom("1", "2"),
      seed: fc.nat(9),
      fails: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("drop" as const), version: fc.constantFrom("1", "2") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("sweep" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rebuild" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reindex" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("repair" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("import" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("chat" as const) }) },
);
type Write = typeof write extends fc.Arbitrary<infer T> ? T : never;

const query: fc.Arbitrary<SearchQuery> = fc.record(
  {
    text: fc.constantFrom("kiln", "glaze clay", "ash -kiln"),
    mode: fc.constantFrom("lexical" as const, "hybrid" as const, "vector" as const),
    k: fc.constantFrom(1, 2, 10),
    filters: fc.constantFrom({}, { tagsAny: ["hot"] }, { trustMin: 0.5 }, { pathGlob: ["c/**"] }),
    vector: fc.nat(2).map(vectorOf),
    collapse: fc.boolean(),
  },
  { requiredKeys: ["text", "mode"] },
);

describe.each([
  ["in one transaction", false],
  ["phase by phase", true],
])("embeddings written %s", (_way, apart) => {
  test("a store that keeps answers gives those that a search without them gives, after and among writes of every kind", async () => {
    let hits = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ write, among: query }), { minLength: 1, maxLength: 14 }),
        fc.array(query, { minLength: 1, maxLength: 4 }),
        async (steps, queries) => {
          await using subject = await open(apart);
          for (const step of steps) {
            const [, among] = await Promise.allSettled([
              subject.write(step.write),
              subject.kept(step.among),
              ...queries.map(subject.kept),
            ]);
            expect(among.status).toBe("fulfilled");
            for (const asked of [step.among, ...queries]) {
              const fresh = await subject.fresh(asked);
              // The first may be of before, kept; the second is kept in any case.
              expect(await subject.kept(asked)).toEqual(fresh);
              expect(await subject.kept(asked)).toEqual(fresh);
            }
          }
          hits += (await subject.opened.store.stats()).searchCache.hits;
        },
      ),
      { numRuns: 60 },
    );
    expect(hits).toBeGreaterThan(100);
  });
});

interface Subject extends AsyncDisposable {
  opened: EmbeddingStore;
  write(one: Write): Promise<void>;
  /** Answers of the store. */
  kept: (query: SearchQuery) => Promise<SearchResult | string>;
  /** What a search of the same database answers that keeps nothing. */
  fresh: (query: SearchQuery) => Promise<SearchResult | string>;
}

async function open(apart: boolean): Promise<Subject> {
  const embedder = new TestEmbedder("1", 4);
  let broken = false;
  const hook = (step: string): void => {
    if (!broken || step !== "after upsert") return;
    throw new StorageError("DRIVER", "broken", { capability: "vectors", operation: step });
  };
  const opened = await openEmbeddingStore({ vectors: (db) => hookedVectors(db, apart, hook), embedder });
  const { store, db, vectors } = opened;
  const fresh = new Search(db, { vectors, embedder }, new AllowedChunks(db), new SearchCache(db, 0));
  const at = (workspacePath: string) => store.documents.getDocumentByWorkspacePath(workspacePath);
  const write = async (one: Write): Promise<void> => {
    switch (one.kind) {
      case "ingest":
        await store.ingest(
          { path: one.path, content: one.words.map((word) => `# ${word}\n\nThe ${word}.`).join("\n\n") },
          { embed: "off" },
        );
        return;
      case "delete":
        await store.documents.deleteDocument((await at(one.path))?.id ?? "none");
        return;
      case "tag":
      case "trust":
      case "title": {
        const document = await at(one.path);
        if (document === undefined) return;
        const change =
          one.kind === "tag" ? { tags: [one.tag] } : one.kind === "trust" ? { trust: one.trust } : { title: one.title };
        await store.documents.putDocument({ ...document, ...change });
        return;
      }
      case "chunks": {
        const document = await at(one.path);
        if (document === undefined) return;
        await store.documents.putChunks(document.id, (await store.documents.getChunksOf(document.id)).slice(1));
        return;
      }
      case "embed":
        await store.embeddings.run();
        return;
      case "put": {
        broken = one.fails;
        const records = (await allChunks(db)).map((chunkId, n) => ({ chunkId, vector: vectorOf(one.seed + n) }));
        const model = { modelId: "test", modelVersion: one.version, dimensions: 16 };
        await store.embeddings.put(model, records).catch(() => undefined);
        broken = false;
        return;
      }
      case "drop":
        await store.embeddings.drop({ modelId: "test", modelVersion: one.version, dimensions: 16 });
        return;
      case "sweep":
        await store.embeddings.sweep({ pendingOlderThanMs: 0 });
        return;
      case "rebuild":
        await store.documents.rebuildChunksFts();
        return;
      case "reindex":
        await store.embeddings.reindex();
        return;
      case "repair":
        await store.repair();
        return;
      case "import":
        for (const workspacePath of await store.documents.allWorkspacePaths()) {
          await store.documents.purgeOrphanAtWorkspacePath(workspacePath);
        }
        // Refused where there are conversations.
        await store.import(inPieces(await archive())).catch(() => undefined);
        return;
      case "chat":
        await store.chat.createSession();
        return;
    }
  };
  return {
    opened,
    write,
    kept: (asked) => store.search(asked).catch(codeOf),
    fresh: (asked) => fresh.search(asked).catch(codeOf),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

let archived: Promise<Uint8Array> | undefined;

/** An archive of one document. */
function archive(): Promise<Uint8Array> {
  archived ??= (async () => {
    const { store } = await openTestStore();
    await store.ingest({ path: "a.md", content: "# Kiln\n\nThe kiln of the archive, and its ash." });
    const bytes = await archiveOf(store);
    await store.close();
    return bytes;
  })();
  return archived;
}

/** Searches that are refused, are refused alike. */
function codeOf(error: unknown): string {
  if (error instanceof StorageError) return `${error.code} ${error.message}`;
  throw error;
}

function vectorOf(seed: number): Float32Array {
  const bits = Number.parseInt(hash32(String(seed)).slice(0, 8), 16);
  return Float32Array.from({ length: 16 }, (_, n) => ((bits >> n) & 1) + 0.1 * ((seed + n) % 3) + 0.05);
}
