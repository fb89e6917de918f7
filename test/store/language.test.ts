import { describe, expect, test } from "vitest";
import { detectLanguage, languageTag } from "../../src/store/ingest/language.ts";

const ENGLISH = "The store opens after anything and its answers are fast enough that nobody waits.";
const GERMAN = "Der Speicher öffnet sich nach allem, und seine Antworten sind schnell genug.";
const KOREAN = "저장소는 무엇이든 열고 답을 빠르게 찾습니다. SQLite 위에서 동작합니다.";
const JAPANESE = "ストアは何が起きても開き、誰も待たせません。データベースは一つです。";
const CHINESE = "无论发生什么，存储都能打开，而且没有人需要等待。";

describe("the surest clue wins", () => {
  test("the caller over the document, the document over the path, the path over the script", () => {
    const clues = { explicit: "fr", hint: "de", path: "ko/a.md", text: KOREAN };
    expect(detectLanguage(clues)).toBe("fr");
    expect(detectLanguage({ ...clues, explicit: undefined })).toBe("de");
    expect(detectLanguage({ path: "zh-tw/a.md", text: CHINESE })).toBe("zh-tw");
    expect(detectLanguage({ path: "a.md", text: CHINESE })).toBe("zh");
  });

  test("tags are lower case, and what is no tag is passed over", () => {
    expect(languageTag("pt_BR")).toBe("pt-br");
    expect(languageTag("en_US.UTF-8")).toBe("en-us");
    expect(languageTag("zh-Hans-CN")).toBe("zh-hans-cn");
    expect(languageTag("English")).toBe(null);
    expect(languageTag("")).toBe(null);
    expect(detectLanguage({ hint: "English", path: "de/a.md", text: GERMAN })).toBe("de");
  });
});

describe("paths", () => {
  test.each([
    ["ko/guide/a.md", KOREAN, "ko"],
    ["docs/de/a.md", GERMAN, "de"],
    ["src/content/pt-br/a.mdx", "O armazém abre.", "pt-br"],
    ["i18n/zh_CN/a.md", CHINESE, "zh-cn"],
    ["docs/README.ja.md", JAPANESE, "ja"],
    ["es-419/a.md", "¿Qué es esto?", "es-419"],
    ["en/a.md", ENGLISH, "en"],
    ["ru/a.md", "Хранилище открывается всегда.", "ru"],
  ])("%s names a language", (path, text, lang) => {
    expect(detectLanguage({ path, text })).toBe(lang);
  });

  test.each([
    ["js/a.md", ENGLISH],
    ["ts/a.md", ENGLISH],
    ["go/a.md", ENGLISH],
    ["my/a.md", ENGLISH],
    ["cs/a.md", ENGLISH],
    ["id/a.md", ENGLISH],
    ["no/is/it/a.md", ENGLISH],
    ["ml/models.md", ENGLISH],
    ["si/te/ta/lo/am/a.md", ENGLISH],
    ["ui/ux/os/a.md", ENGLISH],
    ["main.py", ENGLISH],
    ["ja/a.md", ENGLISH],
    ["ru/a.md", ENGLISH],
  ])("%s does not, with English text", (path, text) => {
    expect(detectLanguage({ path, text })).toBe(null);
  });

  test("a script that contradicts the folder tells the language itself", () => {
    expect(detectLanguage({ path: "en/a.md", text: KOREAN })).toBe("ko");
    expect(detectLanguage({ path: "ko/a.md", text: JAPANESE })).toBe("ja");
  });

  test("a folder that is also a common name counts when the words are there", () => {
    expect(detectLanguage({ path: "id/a.md", text: "Ini adalah dokumen yang panjang untuk semua." })).toBe("id");
    expect(detectLanguage({ path: "it/a.md", text: "Questa è la pagina che spiega una parte della guida." })).toBe(
      "it",
    );
  });
});

describe("scripts", () => {
  test.each([
    [KOREAN, "ko"],
    [JAPANESE, "ja"],
    [CHINESE, "zh"],
    ["ร้านค้าเปิดได้เสมอ", "th"],
    ["Το κατάστημα ανοίγει πάντα.", "el"],
    ["החנות נפתחת תמיד", "he"],
    ["საცავი ყოველთვის იხსნება", "ka"],
  ])("%s", (text, lang) => {
    expect(detectLanguage({ path: "a.md", text })).toBe(lang);
  });

  test("a script of many languages says nothing", () => {
    for (const text of [ENGLISH, "Хранилище открывается всегда.", "المخزن يفتح دائما", "", "1 + 2 = 3"]) {
      expect(detectLanguage({ path: "a.md", text })).toBe(null);
    }
  });

  test("a quotation does not make a language", () => {
    expect(detectLanguage({ path: "a.md", text: `${ENGLISH.repeat(4)} 世界` })).toBe(null);
  });
});
