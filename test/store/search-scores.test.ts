import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { SqlDatabase, SqlValue } from "../../src/contracts/sql.ts";
import type { SearchQuery } from "../../src/contracts/search.ts";
import type { Store } from "../../src/contracts/store.ts";
import { FlatVectorStore } from "../../src/drivers/vectors-flat.ts";
import { AllowedChunks } from "../../src/store/allowed-chunks.ts";
import { indexId } from "../../src/store/ids.ts";
import { BestChunks } from "../../src/store/search/best-chunks.ts";
import { ChunkLengths } from "../../src/store/search/chunk-lengths.ts";
import { Postings } from "../../src/store/search/postings.ts";
import { Search } from "../../src/store/search/search.ts";
import { TextSegments } from "../../src/store/search/segments/text-segments.ts";
import { mulberry32 } from "../bench/vectors/clustered.ts";
import { openTestStore } from "../support/open-test-store.ts";
import { builtKernel } from "../wasm/built-kernel.ts";

// Enough chunks for common words to be scored last, with few frequent words and many rare ones, forms of words, and pairs of characters.
const CHUNKS = 2600;
const WORDS = Array.from({ length: 400 }, (_, at) => `w${at.toString(36)}${["", "s", "ing", "ed"][at % 4]}`);
const PAIRS = Array.from("的是不了人我在有他这中大来上国个到说们为子和你地出道也时年");
const random = mulberry32(11);

let store: Store;
let db: SqlDatabase;

beforeAll(async () => {
  ({ store, db } = await openTestStore());
  const files = Array.from({ length: CHUNKS }, (_, at) => ({
    path: `${at}.md`,
    content: `# ${word()} ${word()}\n\n${Array.from({ length: 20 + (at % 50) }, word).join(" ")} ${run()}`,
  }));
  await store.ingest(files);
});

afterAll(() => store.close());

/** Zipf: the word at rank r with a share of 1 / r. */
function word(): string {
  return WORDS[Math.floor(Math.exp(random() * Math.log(WORDS.length)))] ?? "w";
}

function run(): string {
  return Array.from({ length: 4 }, () => PAIRS[Math.floor(random() ** 2 * PAIRS.length)]).join("");
}

/** All rows of the plan's tiers in the order in which FTS5 scores them, with its scores. */
async function scoredByFts(
  tiers: readonly { ranking: string; must: string | null }[],
): Promise<{ id: string; score: number }[]> {
  const found: { id: string; score: number }[] = [];
  for (const { ranking, must } of tiers) {
    const params: SqlValue[] = must === null ? [ranking] : [ranking, must];
    const rows = await db.all<{ id: string; score: number }>(
      `SELECT c.chunk_id AS id, -found.score AS score FROM (
         SELECT rowid AS key, bm25(chunks_fts, 2.0, 1.0, 1.0) AS score FROM chunks_fts WHERE chunks_fts MATCH $1
         ${must === null ? "" : "AND +rowid IN (SELECT rowid FROM chunks_fts WHERE chunks_fts MATCH $2)"}
       ) found JOIN chunks c ON c.chunk_key = found.key ORDER BY found.score, found.key`,
      params,
    );
    found.push(...rows);
  }
  return found;
}

/** Reads pages of `k` and holds them against all that FTS5 says. */
async function expectAsFts(query: SearchQuery, pages = 4): Promise<number> {
  const k = query.k ?? 10;
  let expected: { id: string; score: number }[] | undefined;
  const got: { id: string; score: number }[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < pages; page++) {
    const result = await store.search({ ...query, explain: true, ...(cursor === undefined ? {} : { cursor }) });
    expected ??= await scoredByFts(result.explain?.tiers ?? []);
    got.push(...result.hits.map(({ chunkId, score }) => ({ id: chunkId, score })));
    cursor = result.nextCursor;
    if (cursor === undefined) break;
  }
  const wanted = (expected ?? []).slice(0, pages * k);
  expect({ query, ids: got.map(({ id }) => id) }).toEqual({ query, ids: wanted.map(({ id }) => id) });
  for (const [at, { score }] of wanted.entries()) expect(got[at]?.score).toBeCloseTo(score, 10);
  return wanted.length;
}

function question(round: number): SearchQuery {
  const words = Array.from({ length: 1 + (round % 8) }, word);
  const parts = [
    ...words,
    ...(round % 3 === 0 ? [run()] : []),
    ...(round % 5 === 0 ? [`-${word()}`] : []),
    ...(round % 11 === 0 ? [`"${word()}"`] : []),
    ...(round % 13 === 0 ? ["w1*"] : []),
  ];
  const stemming = (["rank", "match", "off"] as const)[round % 3];
  return { text: parts.join(" "), k: 1 + (round % 20), stemming: stemming ?? "rank", prefixLast: round % 4 === 0 };
}

test("page after page the hits and their scores are those that FTS5 computes", async () => {
  let hits = 0;
  for (let round = 0; round < 160; round++) hits += await expectAsFts(question(round));
  expect(hits).toBeGreaterThan(2000);
});

test.each([
  "résumé",
  "RÉSUMÉ",
  "Жук",
  "ЁЛКА",
  "ёлка",
  "हिन्दी",
  "مرحبا",
  "Ωμέγα",
  "ꙮ",
  "𐐀𐐨",
  "ﬁx",
  "İstanbul",
  "數據",
  "ｆｕｌｌ",
])("a word of any script scores as FTS5 scores it: %s", async (text) => {
  const files = [text, `${text} ${text} w0`, `w1 ${text}`].map((content, at) => ({
    path: `scripts/${text}-${at}.md`,
    content,
  }));
  await store.ingest(files);
  expect(await expectAsFts({ text })).toBeGreaterThanOrEqual(3);
});

test("what is deleted, taken in anew or given another title is scored as it stands now", async () => {
  const texts = Array.from({ length: 6 }, (_, at) => question(7 * at + 1));
  for (let round = 0; round < 12; round++) {
    const at = 31 * round;
    if (round % 3 === 0) {
      for (const path of [`${at}.md`, `${at + 1}.md`]) {
        const document = await store.documents.getDocumentByWorkspacePath(path);
        if (document !== undefined) await store.documents.deleteDocument(document.id);
      }
    } else if (round % 3 === 1) {
      await store.ingest([{ path: `${at}.md`, content: `# ${word()}\n\n${word()} ${word()} anew ${run()}` }]);
    } else {
      const document = await store.documents.getDocumentByWorkspacePath(`${at}.md`);
      if (document !== undefined) {
        await store.documents.putDocument({ ...document, title: `${word()} ${word()} ${word()} retitled` });
      }
    }
    for (const query of texts) await expectAsFts(query, 2);
  }
});

test("an index that is made anew is read anew", async () => {
  const [first] = (await store.search({ text: "w0", k: 1 })).hits;
  const before = (await store.search({ text: "w0 w1", k: 100 })).hits;
  const row = await db.get<{ key: number }>("SELECT chunk_key AS key FROM chunks WHERE chunk_id = $1", [
    first!.chunkId,
  ]);
  await db.run("DELETE FROM chunks_fts WHERE rowid = $1", [row!.key]);
  await store.ingest([{ path: "another.md", content: "unrelated" }]);
  expect((await store.search({ text: "w0", k: 1 })).hits[0]?.chunkId).not.toBe(first!.chunkId);
  await store.documents.rebuildChunksFts();
  expect((await store.search({ text: "w0", k: 1 })).hits[0]?.chunkId).toBe(first!.chunkId);
  expect((await store.search({ text: "w0 w1", k: 100 })).hits.map(({ chunkId }) => chunkId)).toEqual(
    before.map(({ chunkId }) => chunkId),
  );
  await expectAsFts({ text: "w0 w1 w2", k: 50 });
});

test("a search changes nothing of a file that is only looked at, beside somebody who reads it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lodestore-search-"));
  try {
    const path = join(folder, "store.db");
    const first = await openTestStore(path);
    await first.store.ingest([{ path: "a.md", content: "quince" }]);
    await first.store.close();
    using reader = new DatabaseSync(path);
    reader.exec("PRAGMA journal_mode = DELETE");
    const before = readFileSync(path);
    const second = await openTestStore(path);
    reader.exec("BEGIN; SELECT count(*) FROM chunks");
    expect((await second.store.search({ text: "quince" })).hits).toHaveLength(1);
    reader.exec("COMMIT");
    expect(await second.db.get("PRAGMA journal_mode")).toEqual({ journal_mode: "delete" });
    expect(readFileSync(path).equals(before)).toBe(true);
    await second.store.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("keys end where indexes have no room for them, and say so", async () => {
  const { store: full, db: rows } = await openTestStore();
  await rows.run("INSERT INTO kv (key, value) VALUES ('last_chunk_key', '4294967294')");
  await full.ingest([{ path: "last.md", content: "quince" }]);
  expect((await full.search({ text: "quince" })).hits).toHaveLength(1);
  await expect(full.ingest([{ path: "beyond.md", content: "quince" }])).rejects.toMatchObject({
    code: "QUOTA_EXCEEDED",
  });
  expect((await full.search({ text: "quince" })).hits).toHaveLength(1);
  await full.close();
});

test("a search that finds no memory fails alone", async () => {
  const lengths = new ChunkLengths();
  await lengths.extend(db);
  const best = new BestChunks(lengths);
  const lists = [{ places: Uint32Array.of(1, 3), scores: Float64Array.of(1, 2) }];
  const conditions = { any: undefined, all: [], none: [] };
  vi.stubGlobal("Uint16Array", function refuse() {
    throw new RangeError("Array buffer allocation failed");
  });
  try {
    expect(() => best.find(lists, conditions, 5, undefined)).toThrow(RangeError);
  } finally {
    vi.unstubAllGlobals();
  }
  expect(best.find(lists, conditions, 5, undefined).map(({ score }) => score)).toEqual([2, 1]);
});

test("searches that come at once while documents come and go answer with what is there", async () => {
  const writing = (async () => {
    for (let round = 0; round < 8; round++) {
      await store.ingest([{ path: `at-once/${round}.md`, content: `w0 quince ${round}` }]);
      const document = await store.documents.getDocumentByWorkspacePath(`at-once/${round - 2}.md`);
      if (document !== undefined) await store.documents.deleteDocument(document.id);
    }
  })();
  for (let round = 0; round < 20; round++) {
    const results = await Promise.all(Array.from({ length: 5 }, () => store.search({ text: "quince w0", k: 5 })));
    for (const { hits } of results) expect(hits).toHaveLength(5);
  }
  await writing;
  expect((await store.search({ text: "quince" })).hits).toHaveLength(2);
});

test("lists that there is no room for are read again, and are the same", async () => {
  const lengths = new ChunkLengths();
  await lengths.extend(db);
  const state = { lengths, chunks: CHUNKS, meanLength: 50 };
  const [roomy, tight] = [new Postings(db, state), new Postings(db, state, 5000)];
  let again = 0;
  for (let round = 0; round < 300; round++) {
    const expression = `"${word()}"`;
    const before = await tight.of(expression);
    expect(before).toEqual(await roomy.of(expression));
    await Promise.all(Array.from({ length: 3 }, () => tight.of(`"${word()}"`)));
    if ((await tight.of(expression)) !== before) again++;
  }
  expect(again).toBeGreaterThan(50);
});

test("words and prefixes are read from the segments of a store's index, and not by FTS5", async () => {
  const lengths = new ChunkLengths();
  await lengths.extend(db);
  const segments = new TextSegments(db, lengths);
  expect((await segments.occurrences("w1s", false))?.places.length).toBeGreaterThan(1000);
  expect((await segments.occurrences("w", true))?.places.length).toBeGreaterThan(2000);
});

test("a list to be fused is right to its end, and the same for every page size", async () => {
  const vectors = new FlatVectorStore(db, {
    kernel: builtKernel,
    allowedChunks: new AllowedChunks(db).matching,
    indexId,
  });
  const fused = new Search(db, { vectors });
  const vector = Float32Array.of(1, 0);
  let long = 0;
  for (let round = 0; round < 30; round++) {
    const text = Array.from({ length: 2 + (round % 3) }, word).join(" ");
    const lexical = (await store.search({ text, k: 100 })).hits.map(({ chunkId }) => chunkId);
    for (const k of [1, 10, 50]) {
      const { explain } = await fused.search({ text, mode: "hybrid", vector, k, explain: true });
      expect(explain?.lists?.lexical.map(({ chunkId }) => chunkId)).toEqual(lexical);
    }
    if (lexical.length === 100) long++;
  }
  expect(long).toBeGreaterThan(20);
});
