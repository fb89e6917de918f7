import { afterAll, beforeAll, expect, test } from "vitest";
import type { SqlDatabase, SqlValue } from "../../src/contracts/sql.ts";
import type { Store } from "../../src/contracts/store.ts";
import { FlatVectorStore } from "../../src/drivers/vectors-flat.ts";
import { compileDocumentFilter } from "../../src/store/document-filter.ts";
import { indexId } from "../../src/store/ids.ts";
import { Pruning } from "../../src/store/search/prune.ts";
import { parseQuery } from "../../src/store/search/query.ts";
import { Search } from "../../src/store/search/search.ts";
import { TermStatistics } from "../../src/store/search/statistics.ts";
import { mulberry32 } from "../bench/vectors/clustered.ts";
import { openTestStore } from "../support/open-test-store.ts";
import { builtKernel } from "../wasm/built-kernel.ts";

// Enough chunks for pruning, with few frequent words and many rare ones, forms of words, and pairs of characters.
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

/** All rows of the plan's tiers in the order in which FTS5 scores them, none left out. */
async function scoredWhole(tiers: readonly { ranking: string; must: string | null }[]): Promise<string[]> {
  const found: string[] = [];
  for (const { ranking, must } of tiers) {
    const params: SqlValue[] = must === null ? [ranking] : [ranking, must];
    const rows = await db.all<{ id: string }>(
      `SELECT c.chunk_id AS id FROM (
         SELECT rowid AS key, bm25(chunks_fts, 2.0, 1.0, 1.0) AS score FROM chunks_fts WHERE chunks_fts MATCH $1
         ${must === null ? "" : "AND +rowid IN (SELECT rowid FROM chunks_fts WHERE chunks_fts MATCH $2)"}
       ) found JOIN chunks c ON c.chunk_key = found.key ORDER BY found.score, found.key`,
      params,
    );
    found.push(...rows.map(({ id }) => id));
  }
  return found;
}

test("page after page the hits are those that scoring every row gives", async () => {
  let pruned = 0;
  for (let round = 0; round < 120; round++) {
    const words = Array.from({ length: 2 + (round % 7) }, word);
    const text = [...words, ...(round % 3 === 0 ? [run()] : []), ...(round % 5 === 0 ? [`-${word()}`] : [])].join(" ");
    const k = 1 + (round % 20);
    const terms = parseQuery(text, { stemming: "rank", plainText: false, prefixLast: false }).terms;
    const pruning = await Pruning.of(terms, await new TermStatistics(db).current());
    if (pruning?.probe(k) !== undefined) pruned++;

    let expected: string[] | undefined;
    const got: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < 4; page++) {
      const result = await store.search({ text, k, explain: true, ...(cursor === undefined ? {} : { cursor }) });
      expected ??= await scoredWhole(result.explain?.tiers ?? []);
      got.push(...result.hits.map(({ chunkId }) => chunkId));
      cursor = result.nextCursor;
      if (cursor === undefined) break;
    }
    expect({ text, got }).toEqual({ text, got: expected?.slice(0, 4 * k) });
  }
  expect(pruned).toBeGreaterThan(60);
});

test("a list to be fused is right to its end, and the same for every page size", async () => {
  const vectors = new FlatVectorStore(db, { kernel: builtKernel, compileFilter: compileDocumentFilter, indexId });
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
