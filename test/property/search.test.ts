import fc from "fast-check";
import { expect, test } from "vitest";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { SearchQuery } from "../../src/contracts/search.ts";
import { migrated } from "../support/migrated.ts";
import { LexicalSearch } from "../../src/store/search/lexical-search.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";

/** A chunk as the naive model knows it: its words, and its document's language. */
interface ModelChunk {
  text: string;
  lang: string;
}

const WORDS = ["alpha", "beta", "gamma", "running", "runs", "run", "été", "x86", "a"];
const RUNS = ["数据库", "据库", "中", "データ", "한국어"];
const LANGS = ["en", "zh-cn", "ko"];

const chunkText = fc
  .array(fc.oneof(fc.constantFrom(...WORDS), fc.constantFrom(...RUNS)), { minLength: 1, maxLength: 12 })
  .map((words) => words.join(" "));
const corpus = fc.array(fc.record({ text: chunkText, lang: fc.constantFrom(...LANGS) }), {
  minLength: 1,
  maxLength: 25,
});

async function openCorpus(chunks: readonly ModelChunk[]): Promise<SqlDatabase> {
  const db = await openSqlNode({ path: ":memory:", functions: storeFunctions });
  await migrated(db);
  await db.run(
    "INSERT INTO assets (asset_id, content_hash, byte_length, media_type, created_at) VALUES ('a', 'h', 0, 'text/plain', 0)",
  );
  for (const [index, chunk] of chunks.entries()) {
    await db.run(
      `INSERT INTO documents (document_id, asset_id, workspace_path, parser_version, title, lang, media_type, source_type, trust, metadata, ingested_at)
       VALUES ($1, 'a', $2, 'p', '', $3, 'text/plain', 'file', 0.5, '{}', 0)`,
      [`d${index}`, `${index}.txt`, chunk.lang],
    );
    await db.run(
      `INSERT INTO chunks (chunk_id, document_key, ordinal, block_ids, heading_path, heading_text, text, line_start, line_end, token_count, chunker_version, policy_hash)
       VALUES ($1, (SELECT document_key FROM documents WHERE document_id = $2), 0, '[]', '[]', '', $3, 1, 1, 1, 'c', 'p')`,
      [`c${index}`, `d${index}`, chunk.text],
    );
  }
  return db;
}

/** All chunk ids that the query finds, in order, read in pages of `k`. */
async function findAll(search: LexicalSearch, query: SearchQuery): Promise<string[]> {
  const found: string[] = [];
  let last = Infinity;
  let cursor: string | undefined;
  do {
    const page = await search.search({ ...query, ...(cursor === undefined ? {} : { cursor }) });
    for (const hit of page.hits) {
      expect(hit.score).toBeLessThanOrEqual(last);
      last = hit.score;
      found.push(hit.chunkId);
      expect(hit.lexicalRank).toBe(found.length);
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(new Set(found).size).toBe(found.length);
  return found;
}

function ids(chunks: readonly ModelChunk[], holds: (chunk: ModelChunk) => boolean): string[] {
  return chunks.flatMap((chunk, index) => (holds(chunk) ? [`c${index}`] : [])).toSorted();
}

const wordsOf = (chunk: ModelChunk): string[] => chunk.text.split(" ");

test("a word finds exactly the chunks in which it stands whole, whatever the page size", async () => {
  await fc.assert(
    fc.asyncProperty(corpus, fc.constantFrom(...WORDS), fc.integer({ min: 1, max: 7 }), async (chunks, word, k) => {
      await using db = await openCorpus(chunks);
      const found = await findAll(new LexicalSearch(db), { text: word, k });
      expect(found.toSorted()).toEqual(ids(chunks, (chunk) => wordsOf(chunk).includes(word)));
    }),
    { numRuns: 60 },
  );
});

test("with stemming match a word finds its other forms as well", async () => {
  await fc.assert(
    fc.asyncProperty(corpus, fc.constantFrom("run", "runs", "running"), async (chunks, word) => {
      await using db = await openCorpus(chunks);
      const found = await findAll(new LexicalSearch(db), { text: word, k: 3, stemming: "match" });
      expect(found.toSorted()).toEqual(ids(chunks, (chunk) => wordsOf(chunk).some((one) => one.startsWith("run"))));
    }),
    { numRuns: 40 },
  );
});

test("one or two characters of an unspaced script find exactly the chunks that hold them", async () => {
  await fc.assert(
    fc.asyncProperty(
      corpus,
      fc.constantFrom("数", "库", "数据", "据库", "中", "タ", "データ".slice(0, 2), "국어", "어"),
      async (chunks, text) => {
        await using db = await openCorpus(chunks);
        const found = await findAll(new LexicalSearch(db), { text, k: 4 });
        expect(found.toSorted()).toEqual(ids(chunks, (chunk) => chunk.text.includes(text)));
      },
    ),
    { numRuns: 60 },
  );
});

test("a phrase, an exclusion and a filter hold together", async () => {
  const query = fc.record({
    first: fc.constantFrom(...WORDS),
    second: fc.constantFrom(...WORDS, "数据库"),
    not: fc.constantFrom(...WORDS),
    lang: fc.constantFrom("en", "zh", "ko"),
  });
  await fc.assert(
    fc.asyncProperty(corpus, query, async (chunks, { first, second, not, lang }) => {
      await using db = await openCorpus(chunks);
      const text = `"${first} ${second}" -${not}`;
      const found = await findAll(new LexicalSearch(db), { text, k: 2, filters: { lang } });
      const expected = ids(
        chunks,
        (chunk) =>
          ` ${chunk.text} `.includes(` ${first} ${second}`) &&
          (second === "数据库" || ` ${chunk.text} `.includes(` ${first} ${second} `)) &&
          !wordsOf(chunk).includes(not) &&
          (chunk.lang === lang || chunk.lang.startsWith(`${lang}-`)),
      );
      expect(found.toSorted()).toEqual(expected);
    }),
    { numRuns: 80 },
  );
});

test("no text, however odd, is an FTS5 error", async () => {
  await using db = await openCorpus([{ text: "alpha beta 数据库", lang: "en" }]);
  const search = new LexicalSearch(db);
  const odd = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc
      .array(
        fc.constantFrom(
          '"',
          "*",
          "-",
          "NEAR(",
          ")",
          "AND",
          "OR",
          "NOT",
          "alpha",
          " ",
          ":",
          "{",
          "}",
          "^",
          "+",
          "数",
          "'",
          ";",
          "\0",
        ),
        { maxLength: 20 },
      )
      .map((parts) => parts.join("")),
  );
  await fc.assert(
    fc.asyncProperty(odd, fc.boolean(), fc.constantFrom("rank", "match", "off"), async (text, prefixLast, stemming) => {
      const result = await search.search({ text, prefixLast, stemming, explain: true });
      expect(result.hits.length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 1500 },
  );
});

test("a word that stands in most chunks ranks after rarer ones and is still found in each, once", async () => {
  const chunks = Array.from({ length: 2400 }, (_, index) => ({
    text: `common ${index % 3 === 0 ? "third" : "other"} ${index % 100 === 0 ? "rare rares" : "x86"}`,
    lang: "en",
  }));
  await using db = await openCorpus(chunks);
  const search = new LexicalSearch(db);
  const first = await search.search({ text: "common rare", k: 30, explain: true });
  expect(first.explain?.commonWords).toEqual(["common"]);
  expect(first.hits.slice(0, 24).every((hit) => hit.snippet.text.includes("rare"))).toBe(true);
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await search.search({ text: "common rare", k: 700, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...page.hits.map((hit) => hit.chunkId));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(found.length).toBe(2400);
  expect(new Set(found).size).toBe(2400);
  const none = await search.search({ text: "common -common", k: 5 });
  expect(none.hits).toEqual([]);
});
