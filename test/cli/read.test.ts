import { describe, expect, test, vi } from "vitest";
import type { Asset, Chunk, Document, Page, SearchResult } from "../../src/node.ts";
import { lodestore, lodestoreJson, makeFolder, makeStore, manyNotes, start } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 60_000 });

const GUIDE = `---
tags: [heat]
lang: en
---
# Kiln guide

Bisque firing drives out water.

## Cones

Cone 6 melts at 1222 degrees.
It is a common cone.
`;

const DOCUMENTS = {
  "docs/guides/kiln.md": GUIDE,
  "docs/ofen.md": "---\nlang: de\n---\n# Ofen\n\nDer Kegel schmilzt bei 1222 Grad.\n",
  "docs/tower.html": "<title>塔</title><h1>東京タワー</h1><p>東京タワーは高い。</p>",
  "docs/utf16.txt": Buffer.from("\uFEFFceladon\r\nis green\r", "utf16le"),
};

interface Shown {
  document: Document;
  asset: Asset;
  chunk: Chunk | null;
  lines: { start: number; end: number; total: number };
  text: string;
}

describe("lodestore search", () => {
  test("prints hits with headings, path and lines, and the matching part", async () => {
    const folder = await makeStore(DOCUMENTS);
    const { code, stdout, stderr } = await lodestore(folder, "search", "cone", "melts");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(
      /^1\. Kiln guide › Cones\n {3}guides\/kiln\.md:9-12\n {3}.*Cone 6 melts at 1222 degrees\..*\n\n$/,
    );
  });

  test("prints the store's answer as one object with --json", async () => {
    const folder = await makeStore(DOCUMENTS);
    const result = await lodestoreJson<SearchResult>(folder, "search", "東京", "--explain");
    expect(result).toMatchObject({
      hits: [{ citation: { workspacePath: "tower.html" } }],
      explain: { mode: "lexical" },
    });
    const text = await lodestore(folder, "search", "cone", "--explain");
    expect(text.stdout).toMatch(/bm25 [\d.e+-]+\n[^]*Mode lexical, stemming rank\.[^]*Time: /);
  });

  test("takes phrases, beginnings and words to leave out", async () => {
    const folder = await makeStore(DOCUMENTS);
    const pathsFor = async (...query: string[]): Promise<string[]> => {
      const { hits } = await lodestoreJson<SearchResult>(folder, "search", ...query);
      return hits.map((hit) => hit.citation.workspacePath).toSorted();
    };
    expect(await pathsFor("1222")).toEqual(["guides/kiln.md", "ofen.md"]);
    expect(await pathsFor("1222 -grad")).toEqual(["guides/kiln.md"]);
    expect(await pathsFor('"1222 Grad"')).toEqual(["ofen.md"]);
    expect(await pathsFor("celad*")).toEqual(["utf16.txt"]);
    const dashed = await lodestore(folder, "search", "1222", "-grad");
    expect([dashed.code, dashed.stderr]).toEqual([
      2,
      expect.stringContaining('Words that begin with "-" go after "--"'),
    ]);
    expect(await lodestore(folder, "search", "--json", "--", "1222", "-grad")).toMatchObject({ code: 0 });
  });

  test("holds to every filter", async () => {
    const folder = await makeStore(DOCUMENTS);
    const filters: [string[], number][] = [
      [["--lang", "de"], 1],
      [["--lang", "de", "--lang", "en"], 2],
      [["--tag", "heat"], 1],
      [["--path", "guides/**"], 1],
      [["--media", "text/markdown"], 2],
      [["--media", "text/html"], 0],
      [["--trust", "0.5"], 2],
      [["--trust", "0.6"], 0],
      [["--after", "2001-01-31"], 2],
      [["--after", "2999-01-31"], 0],
      [["--doc", "0".repeat(32)], 0],
    ];
    for (const [options, count] of filters) {
      const { code, stdout } = await lodestore(folder, "search", "1222", "--json", ...options);
      expect([options, (JSON.parse(stdout) as SearchResult).hits.length]).toEqual([options, count]);
      expect(code).toBe(count === 0 ? 1 : 0);
    }
  });

  test("exits with 1 when it finds nothing, and with 2 when a value is wrong", async () => {
    const folder = await makeStore(DOCUMENTS);
    expect(await lodestore(folder, "search", "zyxwv")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: "Nothing found for: zyxwv\n",
    });
    const wrong = await lodestore(folder, "search", "cone", "--lang", "e!");
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toMatch(/^lodestore search: --lang got "e!"; it takes a language tag.* \[INVALID_INPUT\]\n$/);
  });

  test("goes on from page to page, each hit once", async () => {
    const folder = await makeStore(manyNotes(7));
    const seen: string[] = [];
    let cursor: string[] = [];
    do {
      const page = await lodestoreJson<SearchResult>(folder, "search", "speaks", "-k", "3", ...cursor);
      seen.push(...page.hits.map((hit) => hit.chunkId));
      cursor = page.nextCursor === undefined ? [] : ["--cursor", page.nextCursor];
    } while (cursor.length > 0);
    expect([seen.length, new Set(seen).size]).toEqual([7, 7]);
    const { stderr } = await lodestore(folder, "search", "speaks", "-k", "3");
    expect(stderr).toMatch(/^There is more: the same command with --cursor \S+\n$/);
  });
});

describe("lodestore list", () => {
  test("prints path, language, day and title, sorted by path, and counts", async () => {
    const folder = await makeStore(DOCUMENTS);
    const { code, stdout, stderr } = await lodestore(folder, "list");
    expect(code).toBe(0);
    expect(stdout.split("\n")).toMatchObject([
      expect.stringMatching(/^guides\/kiln\.md {2}en {2}\d{4}-\d\d-\d\d {2}Kiln guide$/),
      expect.stringMatching(/^ofen\.md {9}de {2}\d{4}-\d\d-\d\d {2}Ofen$/),
      expect.stringMatching(/^tower\.html {6}ja {2}/),
      expect.stringMatching(/^utf16\.txt/),
      "",
    ]);
    expect(stderr).toBe("4 documents\n");
    expect((await lodestore(folder, "list", "--lang", "de")).stdout).toMatch(/^ofen\.md [^\n]*\n$/);
  });

  test("goes on from page to page, and refuses a cursor of another filter", async () => {
    const folder = await makeStore(manyNotes(5));
    const seen: string[] = [];
    let cursor: string[] = [];
    let first = "";
    do {
      const page = await lodestoreJson<Page<Document>>(folder, "list", "--limit", "2", ...cursor);
      seen.push(...page.items.map((item) => item.workspacePath));
      first ||= page.nextCursor ?? "";
      cursor = page.nextCursor === undefined ? [] : ["--cursor", page.nextCursor];
    } while (cursor.length > 0);
    expect(seen).toEqual(["n0000.md", "n0001.md", "n0002.md", "n0003.md", "n0004.md"]);
    const { code, stderr } = await lodestore(folder, "list", "--lang", "en", "--cursor", first);
    expect([code, stderr]).toEqual([2, expect.stringContaining("--cursor belongs to another filter")]);
  });
});

describe("lodestore show", () => {
  test("prints what is known of a document and its lines with their numbers", async () => {
    const folder = await makeStore(DOCUMENTS);
    const { code, stdout, stderr } = await lodestore(folder, "show", "guides/kiln.md");
    expect([code, stderr]).toEqual([0, ""]);
    const [head = "", body = ""] = stdout.split(/\n\n(?= 1 )/);
    expect(head).toMatch(
      /^Kiln guide\npath {6}guides\/kiln\.md\ndocument {2}[0-9a-f]{32}\nkind {6}text\/markdown, en, trust 0\.5\n/,
    );
    expect(head).toMatch(/\ntags {6}heat/);
    expect(body.split("\n").slice(0, 5)).toEqual([
      " 1  ---",
      " 2  tags: [heat]",
      " 3  lang: en",
      " 4  ---",
      " 5  # Kiln guide",
    ]);
    expect(body).toMatch(/\n11 {2}Cone 6 melts at 1222 degrees\.\n12 {2}It is a common cone\.\n$/);
  });

  test("prints the lines that a hit names, by path, by option and by the id of the passage", async () => {
    const folder = await makeStore(DOCUMENTS);
    const { hits } = await lodestoreJson<SearchResult>(folder, "search", "melts");
    const [hit] = hits;
    const cited = { start: 9, end: 12, total: 12 };
    const text = "## Cones\n\nCone 6 melts at 1222 degrees.\nIt is a common cone.";
    expect(await lodestoreJson<Shown>(folder, "show", hit?.chunkId ?? "")).toMatchObject({
      lines: cited,
      text,
      chunk: { id: hit?.chunkId },
      document: { id: hit?.documentId },
    });
    for (const args of [["guides/kiln.md:9-12"], [hit?.documentId ?? "", "--lines", "9-"], ["./guides/kiln.md:9-99"]]) {
      expect(await lodestoreJson<Shown>(folder, "show", ...args)).toMatchObject({ lines: cited, text, chunk: null });
    }
  });

  test("counts lines as citations do, in other encodings too", async () => {
    const folder = await makeStore(DOCUMENTS);
    const shown = await lodestoreJson<Shown>(folder, "show", "utf16.txt");
    expect(shown).toMatchObject({
      text: "celadon\nis green",
      lines: { start: 1, end: 2, total: 2 },
      asset: { byteLength: 38 },
    });
  });

  test("says what may have been meant, and refuses lines that are not there", async () => {
    const folder = await makeStore(DOCUMENTS);
    const near = await lodestore(folder, "show", "kiln.md");
    expect(near).toMatchObject({ code: 1, stdout: "" });
    expect(near.stderr).toContain("Did you mean: lodestore show guides/kiln.md\n");
    expect((await lodestore(folder, "show", "tower.htm")).stderr).toContain("lodestore show tower.html\n");
    expect(await lodestore(folder, "show", "../x", "--json")).toMatchObject({
      code: 1,
      stderr:
        '{"error":{"code":"NOT_FOUND","message":"the store has no document or passage \\"../x\\"","operation":"show"}}\n',
    });
    expect((await lodestore(folder, "show", "ofen.md:40-50")).stderr).toContain("ofen.md has 6 lines");
    expect(await lodestore(folder, "show", "ofen.md", "--lines", "9-3")).toMatchObject({ code: 2 });
    expect(await lodestore(folder, "show")).toMatchObject({ code: 2 });
  });

  test("ends quietly when its reader has gone", async () => {
    const folder = makeFolder({ "docs/long.txt": "a line of text\n".repeat(40_000) });
    await lodestore(folder, "ingest", "docs");
    const running = start(folder, ["show", "long.txt"]);
    running.child.stdout?.destroy();
    expect(await running.ended).toMatchObject({ code: 0, signal: null, stderr: "" });
  });
});
