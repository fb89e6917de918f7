import { afterAll, beforeAll, expect, test } from "vitest";
import type { DocumentFilter } from "../../src/contracts/documents.ts";
import type { Store } from "../../src/contracts/store.ts";
import { openTestStore } from "../support/open-test-store.ts";

let store: Store;
let between: number;

beforeAll(async () => {
  ({ store } = await openTestStore());
  const body = "# Kiln\n\nThe kiln is hot.";
  await store.ingest([
    { path: "guides/a.md", content: body, lang: "en", tags: ["fire", "clay"], trust: 0.9, sourceType: "manual" },
    { path: "guides/deep/b.md", content: body, lang: "zh-cn", tags: ["clay"], trust: 0.5 },
    { path: "notes/c.txt", content: "The kiln is hot.", lang: "zh-tw", trust: 0.1 },
  ]);
  between = Date.now();
  while (Date.now() <= between) await Promise.resolve();
  await store.ingest({ path: "notes/d.html", content: "<h1>Kiln</h1><p>The kiln is hot.</p>", lang: "de" });
});

afterAll(() => store.close());

async function paths(filters: DocumentFilter): Promise<string[]> {
  const { hits } = await store.search({ text: "kiln", filters });
  return hits.map((hit) => hit.citation.workspacePath).toSorted();
}

const ALL = ["guides/a.md", "guides/deep/b.md", "notes/c.txt", "notes/d.html"];

test.each<[string, () => DocumentFilter | Promise<DocumentFilter>, string[]]>([
  ["nothing", () => ({}), ALL],
  ["any of the tags", () => ({ tagsAny: ["fire", "none"] }), ["guides/a.md"]],
  ["a language with its regions", () => ({ lang: "zh" }), ["guides/deep/b.md", "notes/c.txt"]],
  ["several languages", () => ({ lang: ["de", "en"] }), ["guides/a.md", "notes/d.html"]],
  ["a glob in one folder", () => ({ pathGlob: "guides/*" }), ["guides/a.md"]],
  ["a glob across folders", () => ({ pathGlob: ["**/*.{md,txt}"] }), ALL.slice(0, 3)],
  ["the least trust", () => ({ trustMin: 0.5 }), ["guides/a.md", "guides/deep/b.md", "notes/d.html"]],
  ["a media type", () => ({ media: "text/html" }), ["notes/d.html"]],
  ["a range of media types", () => ({ media: "text/*" }), ALL],
  ["a time", () => ({ ingestedAfter: between }), ["notes/d.html"]],
  ["a time as text", () => ({ ingestedAfter: new Date(between).toISOString() }), ["notes/d.html"]],
  ["a kind of source", () => ({ sourceType: "manual" }), ["guides/a.md"]],
  [
    "a document",
    async () => ({ docId: (await store.documents.getDocumentByWorkspacePath("notes/c.txt"))?.id ?? "" }),
    ["notes/c.txt"],
  ],
  [
    "everything at once",
    () => ({ lang: "zh", pathGlob: "guides/**", tagsAny: ["clay"], trustMin: 0.5 }),
    ["guides/deep/b.md"],
  ],
])("a search filtered by %s finds exactly what matches", async (_, filters, expected) => {
  expect(await paths(await filters())).toEqual(expected);
});

test("a filter always gives k hits while k match", async () => {
  const files = Array.from({ length: 300 }, (_, index) => ({
    path: `many/${index}.txt`,
    content: "kiln kiln kiln",
    tags: index % 50 === 0 ? ["rare"] : [],
  }));
  await store.ingest(files);
  const { hits } = await store.search({ text: "kiln", k: 6, filters: { tagsAny: ["rare"] } });
  expect(hits).toHaveLength(6);
});

test("an unknown filter is refused by name", async () => {
  await expect(paths({ language: "en" } as DocumentFilter)).rejects.toThrow(/unknown field "language"/u);
});
