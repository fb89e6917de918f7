import { describe, expect, test } from "vitest";
import type { Chunk } from "../../src/contracts/documents.ts";
import type { ChunkingPolicy } from "../../src/contracts/store.ts";
import { chunkBlocks, CHUNKER_VERSION, policyHash } from "../../src/store/ingest/chunker.ts";
import { cutProse, sentences } from "../../src/store/ingest/text-cut.ts";
import { estimateTokens } from "../../src/store/ingest/token-estimate.ts";
import { parsed } from "../fixtures/parsed.ts";

async function chunksOf(path: string, text: string, policy: ChunkingPolicy = {}): Promise<Chunk[]> {
  const { blocks } = await parsed(path, text);
  return chunkBlocks(
    "d",
    blocks.map((block, ordinal) => ({ ...block, id: `b${ordinal}` })),
    policy,
  );
}

const lines = (chunk: Chunk): string => `${chunk.span.start}-${chunk.span.end}`;
const sentence = (n: number): string => `Sentence number ${n} says a few words. `;
const prose = (count: number): string =>
  Array.from({ length: count }, (_, i) => sentence(i))
    .join("")
    .trim();

describe("sections", () => {
  test("a chunk belongs to one heading path and holds its heading's line", async () => {
    const chunks = await chunksOf("a.md", "intro\n\n# A\n\na\n\n## B\n\nb\n\nc\n\n# D\n\nd\n");
    expect(chunks.map((chunk) => [chunk.headingPath.join("/"), chunk.text, lines(chunk), chunk.blockIds])).toEqual([
      ["", "intro", "1-1", ["b0"]],
      ["A", "a", "3-5", ["b1", "b2"]],
      ["A/B", "b\n\nc", "7-11", ["b3", "b4", "b5"]],
      ["D", "d", "13-15", ["b6", "b7"]],
    ]);
    expect(chunks.map((chunk) => chunk.ordinal)).toEqual([0, 1, 2, 3]);
  });

  test("a heading with nothing below it is a chunk of its own text; one with sections goes into their first", async () => {
    const chunks = await chunksOf("a.md", "# A\n## B\n## C\n### D\nd\n# E\n");
    expect(chunks.map((chunk) => [chunk.headingPath.join("/"), chunk.text, lines(chunk)])).toEqual([
      ["A/B", "B", "1-2"],
      ["A/C/D", "d", "3-5"],
      ["E", "E", "6-6"],
    ]);
    expect(chunks.flatMap((chunk) => chunk.blockIds)).toEqual(["b0", "b1", "b2", "b3", "b4", "b5"]);
  });

  test("a document without text has no chunks, one with a title only has one", async () => {
    expect(await chunksOf("a.md", "")).toEqual([]);
    expect((await chunksOf("a.md", "---\ntitle: T\n---\n")).map((chunk) => chunk.text)).toEqual(["T"]);
  });
});

describe("size", () => {
  test("what counts no tokens is cut by its characters, and the words around it stay", async () => {
    const policy = { targetTokens: 32, overlapTokens: 0, maxTokens: 32 };
    for (const path of ["a.txt", "a.md"]) {
      const chunks = await chunksOf(path, `one${" ".repeat(5000)}two${"\u200b".repeat(5000)}\n`, policy);
      expect(Math.max(...chunks.map((chunk) => chunk.text.length))).toBeLessThanOrEqual(32 * 48);
      expect(chunks.map((chunk) => chunk.text).join(" ")).toMatch(/^one\s+two\u200b+/);
    }
    const blocks = (await parsed("a.txt", "\u200b\n\n".repeat(5000))).blocks;
    const chunks = chunkBlocks(
      "d",
      blocks.map((block, ordinal) => ({ ...block, id: `b${ordinal}` })),
      policy,
    );
    expect(chunks.flatMap((chunk) => chunk.blockIds)).toHaveLength(5000);
    expect(Math.max(...chunks.map((chunk) => chunk.blockIds.length))).toBeLessThanOrEqual(512);
  });

  test("prose is cut at sentences near the target, and every chunk repeats the end of the one before", async () => {
    const chunks = await chunksOf("a.md", `# H\n\n${prose(40)}\n`, {
      targetTokens: 64,
      overlapTokens: 16,
      maxTokens: 128,
    });
    expect(chunks.length).toBeGreaterThan(4);
    for (const [index, chunk] of chunks.entries()) {
      expect(chunk.tokenCount).toBeLessThanOrEqual(64 + 16);
      expect(chunk.text).toMatch(/^Sentence[\s\S]*words\.$/);
      const next = chunks[index + 1];
      if (next !== undefined) expect(chunk.text.endsWith(next.text.split("\n\n")[0]!)).toBe(true);
    }
    expect(chunks[0]!.blockIds).toEqual(["b0", "b1/1"]);
    expect(chunks[1]!.blockIds).toEqual(["b1/2"]);
  });

  test("the span of a chunk begins with the line of what it repeats", async () => {
    const source = Array.from({ length: 40 }, (_, i) => sentence(i).trim());
    const chunks = await chunksOf("a.md", source.join("\n"), { targetTokens: 64, overlapTokens: 24 });
    expect(chunks.length).toBeGreaterThan(4);
    for (const chunk of chunks) {
      const shown = chunk.text.split(/\n+/);
      expect(source.slice(chunk.span.start - 1, chunk.span.end)).toEqual(shown);
    }
  });

  test("it begins there in scripts whose lines are joined, too", async () => {
    const source = Array.from({ length: 63 }, (_, i) => `第${i + 1}行的${i % 3 === 2 ? "文字。" : "文字"}`);
    for (const path of ["a.txt", "a.md"]) {
      const chunks = await chunksOf(path, source.join("\n"), { targetTokens: 128 });
      expect(chunks.length).toBeGreaterThan(2);
      for (const chunk of chunks) {
        const shown = [...chunk.text.matchAll(/第(\d+)行/g)].map(([, line]) => Number(line));
        expect([shown[0], shown.at(-1)]).toEqual([chunk.span.start, chunk.span.end]);
        expect(chunk.text).not.toContain("文字\n");
      }
    }
  });

  test("without overlap nothing is repeated", async () => {
    const chunks = await chunksOf("a.md", prose(40), { targetTokens: 64, overlapTokens: 0 });
    expect(chunks.map((chunk) => chunk.text).join(" ")).toBe(prose(40));
  });

  test("a long code fence stays whole up to the limit, with the words that lead up to it", async () => {
    const code = "const value = compute(1);\n".repeat(60);
    const chunks = await chunksOf("a.md", `Example:\n\n\`\`\`js\n${code}\`\`\`\n`);
    expect(chunks).toHaveLength(1);
    expect(chunks[0]!.tokenCount).toBeGreaterThan(256);
    expect(chunks[0]!.text).toBe(`Example:\n\n${code.trimEnd()}`);
  });

  test("code above the limit is cut between lines, with the exact lines of each part and no overlap", async () => {
    const body = Array.from({ length: 400 }, (_, i) => `const value${i} = compute(${i});`);
    const chunks = await chunksOf("a.md", `\`\`\`\n${body.join("\n")}\n\`\`\`\n`);
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks.map((chunk) => chunk.text).join("\n")).toBe(body.join("\n"));
    expect(chunks[0]!.span.start).toBe(1);
    expect(chunks.at(-1)!.span.end).toBe(402);
    for (const [index, chunk] of chunks.entries()) {
      expect(chunk.tokenCount).toBeLessThanOrEqual(1024);
      expect(chunk.blockIds).toEqual([`b0/${index + 1}`]);
      if (index > 0) expect(body[chunk.span.start - 2]).toBe(chunk.text.split("\n")[0]);
    }
  });

  test("a table above the limit is cut between rows and repeats its header", async () => {
    const rows = Array.from({ length: 300 }, (_, i) => `| row ${i} | some words here |`);
    const chunks = await chunksOf("a.md", `| name | text |\n|---|---|\n${rows.join("\n")}\n`, { maxTokens: 512 });
    expect(chunks.length).toBeGreaterThan(2);
    for (const chunk of chunks) {
      expect(chunk.text.startsWith("name | text\n")).toBe(true);
      expect(chunk.tokenCount).toBeLessThanOrEqual(512);
    }
    expect(chunks.flatMap((chunk) => chunk.text.split("\n").slice(1))).toHaveLength(300);
    expect(chunks[1]!.span.start).toBe(3 + chunks[0]!.text.split("\n").length - 1);
  });

  test.each(["a.html", "a.md"])("the lines of an HTML table in %s are those of its rows", async (path) => {
    const row = (n: number): string =>
      `<tr>\n<td>row${n}</td>\n<td>${"words ".repeat(20)}</td>\n<td>last${n}</td>\n</tr>`;
    const table = Array.from({ length: 60 }, (_, n) => row(n)).join("\n");
    const chunks = await chunksOf(path, `<table>\n${table}\n</table>\n`, { maxTokens: 512 });
    expect(chunks.length).toBeGreaterThan(2);
    let first = 0;
    for (const chunk of chunks) {
      const rows = chunk.text.split("\n");
      const ends = rows.map((text) => /^(row\d+) .* (last\d+)$/.exec(text)?.slice(1).join());
      expect(ends).toEqual(rows.map((_, n) => `row${first + n},last${first + n}`));
      const end = 1 + (first + rows.length) * 5;
      expect(lines(chunk)).toBe(`${first === 0 ? 1 : 2 + first * 5}-${end === 301 ? 302 : end}`);
      first += rows.length;
    }
    expect(first).toBe(60);
  });

  test("a last scrap goes into the chunk before it", async () => {
    const chunks = await chunksOf("a.md", `${prose(25)}\n\nThe end.\n`, { targetTokens: 250 });
    expect(chunks).toHaveLength(1);
    expect(chunks[0]!.tokenCount).toBe(253);
  });
});

describe("cutting prose", () => {
  const parts = (text: string, limit: number): string[] =>
    cutProse(text, limit).map(({ start, end }) => text.slice(start, end));

  test("sentences end at a full stop before a capital, not at abbreviations and initials", () => {
    const text = 'See e.g. Dr. Smith and J. Doe, no. 3. Then 3.5 more! Really? "Yes." Fine… and on. etc. so';
    expect(sentences(text).map(({ start, end }) => text.slice(start, end).trim())).toEqual([
      "See e.g. Dr. Smith and J. Doe, no. 3.",
      "Then 3.5 more!",
      "Really?",
      '"Yes."',
      "Fine… and on. etc. so",
    ]);
  });

  test("wide full stops end a sentence without space behind them", () => {
    expect(parts("数据库很好。它很快！是吗？「是的。」好", 7)).toEqual([
      "数据库很好。",
      "它很快！是吗？",
      "「是的。」好",
    ]);
  });

  test("a sentence above the limit is cut at lines, then clauses, then words, then characters", () => {
    expect(parts("one two three\nfour five six", 4)).toEqual(["one two three\n", "four five six"]);
    expect(parts("one two, three four", 3)).toEqual(["one two, ", "three four"]);
    expect(parts("one two three four", 2)).toEqual(["one two ", "three four"]);
    expect(parts("数据库数据库", 2)).toEqual(["数据", "库数", "据库"]);
  });

  test("no character is torn: surrogate pairs, marks, flags, joined emoji", () => {
    const characters = ["👩‍👩‍👧", "🇩🇪", "👍🏽", "e\u0301\u0302", "각", "𠮷", "❤️"];
    const text = characters.join("").repeat(5);
    const cuts = cutProse(text, 3);
    expect(cuts.length).toBeGreaterThan(5);
    const bounds = new Set<number>([0]);
    let at = 0;
    for (let i = 0; i < 5; i++) for (const character of characters) bounds.add((at += character.length));
    for (const { start, end } of cuts) expect([bounds.has(start), bounds.has(end)]).toEqual([true, true]);
  });
});

describe("tokens", () => {
  test.each([
    ["", 0],
    ["   \n\t ", 0],
    ["a", 1],
    ["the", 1],
    ["word", 1],
    ["tokenizer", 2],
    ["internationalization", 5],
    ["the quick brown fox", 4],
    ["数据库", 3],
    ["データ", 3],
    ["한국어", 3],
    ["привет", 2],
    ["1234567", 2],
    ["a.b", 3],
    ["----------------", 4],
    ["👋", 2],
    ["สวัสดี", 3],
  ])("%j counts %i", (text, tokens) => {
    expect(estimateTokens(text)).toBe(tokens);
  });
});

describe("policy", () => {
  test("its hash is of its canonical JSON, defaults filled in", async () => {
    expect(policyHash({ targetTokens: 256, overlapTokens: 32, maxTokens: 1024 })).toMatch(/^[0-9a-f]{32}$/);
    const [chunk] = await chunksOf("a.md", "x");
    expect(chunk).toMatchObject({
      chunkerVersion: CHUNKER_VERSION,
      policyHash: policyHash({ targetTokens: 256, overlapTokens: 32, maxTokens: 1024 }),
    });
    expect((await chunksOf("a.md", "x", { targetTokens: 128 }))[0]!.id).not.toBe(chunk!.id);
  });

  test.each([
    [{ targetTokens: 31 }, "targetTokens"],
    [{ targetTokens: 100, overlapTokens: 51 }, "overlapTokens"],
    [{ targetTokens: 512, maxTokens: 511 }, "maxTokens"],
    [{ targetTokens: Number.NaN }, "targetTokens"],
  ])("%j is refused by the name of its field", (policy, field) => {
    expect(() => chunkBlocks("d", [], policy)).toThrow(field);
  });
});
