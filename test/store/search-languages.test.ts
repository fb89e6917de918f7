import { expect, test } from "vitest";
import { openTestStore } from "../support/open-test-store.ts";

/** A text in a language, and queries that must find it: whole words, parts of unspaced text, and what people type
 *  without the letters of that language. */
const LANGUAGES: [language: string, text: string, queries: string[]][] = [
  ["Chinese", "关系数据库系统由光荣开发", ["数据库", "据", "开发", '"数据库系统"']],
  ["Japanese", "東京タワーは高いです", ["東京", "タワー", "ﾀﾜｰ", "高", '"東京タワー"']],
  ["Korean", "한국어 문서를 검색합니다", ["문서", "검색", "어", "한국어"]],
  ["Thai", "ประเทศไทยมีอาหารอร่อยมาก", ["อาหาร", "ไทย"]],
  ["Hindi", "नमस्ते दुनिया यह परीक्षा है", ["नमस्ते", "परीक्षा"]],
  ["Arabic", "مرحبا بالعالم هذا كتاب جميل", ["كتاب"]],
  ["Hebrew", "שלום עולם", ["שלום"]],
  ["Vietnamese", "xin chào thế giới", ["thế giới", "the gioi", "chao*"]],
  ["German", "Straße und Übergröße", ["straße", "STRASSE", "ubergrosse", '"strasse und"']],
  ["Turkish", "İSTANBUL ısırgan", ["istanbul", "isirgan"]],
  ["Polish", "Łódź nad rzeką", ["lodz", "Łódź"]],
  ["Russian", "Мой ёжик мыл раму", ["МОЙ", "ежик", "ёжик", "раму"]],
  ["Greek", "Καλημέρα κόσμος", ["καλημερα", "Καλημέρα", "ΚΌΣΜΟΣ"]],
  ["rare Han characters", "𠮷野家へ行く", ["𠮷", "𠮷野", "野家"]],
];

test.each(LANGUAGES)("%s text is found by its words", async (language, text, queries) => {
  const { store } = await openTestStore();
  await store.ingest([
    { path: "other.md", content: "# Other\n\nSomething else, to be left out: other words, 別, 다른, 另." },
    { path: "text.md", content: `# ${language}\n\n${text}\n` },
  ]);
  for (const query of queries) {
    const { hits } = await store.search({ text: query });
    expect([query, hits.map((hit) => hit.citation.workspacePath)]).toEqual([query, ["text.md"]]);
    expect([query, hits[0]?.snippet.highlights.length]).not.toEqual([query, 0]);
  }
  await store.close();
});
