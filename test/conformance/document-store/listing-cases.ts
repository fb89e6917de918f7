import { expect, test } from "vitest";
import type { Document, DocumentFilter, DocumentStore } from "../../../src/contracts/documents.ts";
import { sampleDocument } from "../../support/sample-document.ts";

const DAY = 86_400_000;
const FEB_1 = Date.UTC(2026, 1, 1);

/** Five documents that differ in everything that a filter looks at. */
const CORPUS: readonly (Partial<Document> & { workspacePath: string })[] = [
  { workspacePath: "docs/en/a.md", lang: "en", tags: ["guide", "new"], trust: 1, ingestedAt: FEB_1 - DAY },
  { workspacePath: "docs/zh/a.md", lang: "zh-cn", tags: ["guide"], trust: 0.5, ingestedAt: FEB_1 },
  { workspacePath: "docs/zh/b.txt", lang: "zh", mediaType: "text/plain", trust: 0, ingestedAt: FEB_1 + 1 },
  { workspacePath: "notes.html", lang: "zhx", mediaType: "text/html", sourceType: "web", ingestedAt: FEB_1 + DAY },
  { workspacePath: "z/[slug].md", lang: null, mediaType: "application/x-md", tags: ["new"], ingestedAt: FEB_1 },
];

/** Filter and the paths it takes out of the corpus. */
const FILTERS: readonly [string, DocumentFilter, number[]][] = [
  ["no condition", {}, [0, 1, 2, 3, 4]],
  ["fields that are undefined", { lang: undefined } as unknown as DocumentFilter, [0, 1, 2, 3, 4]],
  ["a tag", { tagsAny: ["guide"] }, [0, 1]],
  ["any of two tags", { tagsAny: ["guide", "new"] }, [0, 1, 4]],
  ["a tag that none has", { tagsAny: ["guid"] }, []],
  ["a language with its regions", { lang: "zh" }, [1, 2]],
  ["a region alone, in any case", { lang: "zh-CN" }, [1]],
  ["two languages", { lang: ["en", "zh-cn"] }, [0, 1]],
  ["a media type", { media: "text/markdown" }, [0, 1]],
  ["a media range", { media: "text/*" }, [0, 1, 2, 3]],
  ["a media type and a range", { media: ["application/*", "text/html"] }, [3, 4]],
  ["trust at its lower end", { trustMin: 0.5 }, [0, 1, 3, 4]],
  ["full trust", { trustMin: 1 }, [0]],
  ["strictly after a time", { ingestedAfter: FEB_1 }, [2, 3]],
  ["after a day, in UTC", { ingestedAfter: "2026-02-01" }, [2, 3]],
  ["after a time with an offset", { ingestedAfter: "2026-02-01T02:00:00.001+02:00" }, [3]],
  ["a source type", { sourceType: "web" }, [3]],
  ["two source types", { sourceType: ["web", "file"] }, [0, 1, 2, 3, 4]],
  ["a glob within one part", { pathGlob: "docs/*/a.md" }, [0, 1]],
  ["a star that does not cross a slash", { pathGlob: "*.md" }, []],
  ["any number of parts", { pathGlob: "**/*.md" }, [0, 1, 4]],
  ["everything below a folder", { pathGlob: "docs/**" }, [0, 1, 2]],
  ["one character", { pathGlob: "docs/zh/?.*" }, [1, 2]],
  ["a class", { pathGlob: "docs/[!a-y]*/[ab].{md,txt}" }, [1, 2]],
  ["a path in full", { pathGlob: "notes.html" }, [3]],
  ["brackets that are meant", { pathGlob: "z/\\[slug\\].md" }, [4]],
  ["two globs of one beginning", { pathGlob: ["docs/zh/a*", "docs/en/*"] }, [0, 1]],
  ["two globs of different beginnings", { pathGlob: ["notes.*", "z/**"] }, [3, 4]],
  [
    "all conditions at once",
    { tagsAny: ["guide"], lang: "zh", trustMin: 0.1, media: "text/*", pathGlob: "docs/**", ingestedAfter: 0 },
    [1],
  ],
  ["a document id that is none", { docId: "unknown" }, []],
];

/** Order, filters and pages. */
export function documentListingCases(documents: () => DocumentStore): void {
  async function putCorpus(): Promise<Document[]> {
    const put: Document[] = [];
    for (const fields of CORPUS) {
      put.push(await documents().putWhole(sampleDocument(fields.workspacePath, `At ${fields.workspacePath}`, fields)));
    }
    return put;
  }

  test.each(FILTERS)("lists and counts by %s", async (_, filter, expected) => {
    const put = await putCorpus();
    const { items, nextCursor } = await documents().listDocuments(filter);
    expect(items).toEqual(expected.map((index) => put[index]));
    expect(nextCursor).toBeUndefined();
    expect(await documents().countDocuments(filter)).toBe(expected.length);
  });

  test("lists by document ids, whatever their order and number", async () => {
    const put = await putCorpus();
    const ids = [put[3]!.id, put[0]!.id];
    const unknown = Array.from({ length: 998 }, (_, n) => `unknown ${n}`);
    expect((await documents().listDocuments({ docId: [...ids, ...unknown] })).items).toEqual([put[0], put[3]]);
    expect((await documents().listDocuments({ docId: put[2]!.id })).items).toEqual([put[2]]);
  });

  test("orders by code point, the same in listing and in all paths", async () => {
    const ordered = ["A.md", "Z/a.md", "a-b.md", "a.md", "a/b.md", "a0.md", "é.md", "\ufffd.md", "\u{1f600}.md"];
    for (const path of ordered.toReversed()) await documents().putWhole(sampleDocument(path, path));
    expect(await documents().allWorkspacePaths()).toEqual(ordered);
    expect((await documents().listDocuments()).items.map((one) => one.workspacePath)).toEqual(ordered);
  });

  test("pages through everything once, whatever the page size", async () => {
    const put = await putCorpus();
    for (const limit of [1, 2, 4, 5, 6]) {
      const seen: Document[] = [];
      let cursor: string | undefined;
      let pages = 0;
      do {
        const page = await documents().listDocuments({}, cursor === undefined ? { limit } : { limit, cursor });
        expect(page.items.length).toBeLessThanOrEqual(limit);
        seen.push(...page.items);
        cursor = page.nextCursor;
        pages++;
      } while (cursor !== undefined);
      expect(seen).toEqual(put);
      expect(pages).toBe(Math.ceil(put.length / limit));
    }
  });

  test("goes on after the last path when documents come and go between two pages", async () => {
    const put = await putCorpus();
    const first = await documents().listDocuments({}, { limit: 2 });
    await documents().deleteDocument(put[1]!.id);
    await documents().putWhole(sampleDocument("a-first.md", "Before the page."));
    const second = await documents().listDocuments({}, { limit: 9, cursor: first.nextCursor! });
    expect(second.items).toEqual([put[2], put[3], put[4]]);
  });

  test("returns 50 documents a page unless told otherwise", async () => {
    for (let n = 0; n < 52; n++) await documents().putWhole(sampleDocument(`${n}.md`, `Text ${n}`));
    const page = await documents().listDocuments();
    expect(page.items).toHaveLength(50);
    expect((await documents().listDocuments(undefined, { cursor: page.nextCursor! })).items).toHaveLength(2);
  });

  test("takes a cursor for the same filter written differently, and no other", async () => {
    await putCorpus();
    const { nextCursor } = await documents().listDocuments({ media: ["text/html", "text/markdown"] }, { limit: 1 });
    const cursor = nextCursor!;
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
    const same = await documents().listDocuments({ media: ["TEXT/markdown", "text/html"] }, { limit: 9, cursor });
    expect(same.items).toHaveLength(2);
    for (const filter of [{}, undefined, { media: "text/html" }]) {
      const other = documents().listDocuments(filter, { cursor });
      await expect(other).rejects.toMatchObject({
        code: "INVALID_INPUT",
        message: expect.stringContaining("another filter"),
      });
    }
  });

  test.each(["garbage", "AAAA", "e30", "WzEsMiwzXQ", "🙂", " ", "W10"])("refuses the cursor %j", async (cursor) => {
    const refused = documents().listDocuments({}, { cursor });
    await expect(refused).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("page.cursor"),
    });
  });
}
