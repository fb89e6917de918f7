import type { IngestFile, SearchHit, SearchQuery } from "../../src/index.ts";
import { Random } from "../wasm/random.ts";

/** Documents of the corpus that both platforms take in. */
const DOCUMENTS = 240;
const LANGS = ["en", "de", "zh", "ko"];
const WORDS =
  "kiln glaze clay slip fire ash wheel throw trim bisque celadon shino copper cobalt iron oxide feldspar silica flux cone pyrometer reduction oxidation crackle porcelain stoneware earthenware raku anagama noborigama Töpfer Scheibe Glasur Brennofen 陶器 釉薬 窯 数据库 搜索 도자기 가마 유약".split(
    " ",
  );

/** Documents that are the same wherever they are made: headings, paragraphs, lists, code and four languages. */
export function sharedFiles(): IngestFile[] {
  const random = new Random(7);
  const words = (count: number): string =>
    Array.from({ length: count }, () => WORDS[random.below(WORDS.length)]).join(" ");
  return Array.from({ length: DOCUMENTS }, (_, at) => ({
    path: `${at % 3 === 0 ? "guides" : "notes/deep"}/${at}.md`,
    content: [
      `---\nlang: ${LANGS[at % LANGS.length]}\ntags: [${at % 5 === 0 ? "five, " : ""}all]\n---\n# ${words(3)} ${at}`,
      ...Array.from({ length: 3 }, () => `## ${words(4)}\n\n${words(60)}.\n\n- ${words(5)}\n- ${words(6)}`),
      `\`\`\`js\nfire("${words(2)}");\n\`\`\`\n`,
    ].join("\n\n"),
  }));
}

/** Questions in every mode, with filters and without. */
export function sharedQuestions(): SearchQuery[] {
  const random = new Random(8);
  const word = (): string => WORDS[random.below(WORDS.length)] as string;
  const texts = Array.from({ length: 40 }, (_, at) =>
    at % 4 === 0 ? `"${word()}" ${word()}` : at % 4 === 1 ? word().slice(0, 3) : `${word()} ${word()} ${word()}`,
  );
  const filters = [undefined, { lang: "zh" }, { pathGlob: "guides/**" }, { tagsAny: ["five"] }];
  return texts.flatMap((text, at) => {
    const filter = filters[at % filters.length];
    const common = { text, k: 10, prefixLast: at % 4 === 1, ...(filter === undefined ? {} : { filters: filter }) };
    return [
      { ...common, mode: "lexical" as const },
      { ...common, mode: "vector" as const },
      { ...common, mode: "hybrid" as const },
    ];
  });
}

/** Answers to {@link sharedQuestions}, hit by hit. */
export type SharedAnswers = SearchHit[][];
