import { contradicts, languageOfScript } from "./script.ts";

/** What is known of a document's language, from the surest to the vaguest. */
export interface LanguageClues {
  /** What the caller says: a language tag in lower case, which is taken as it is. */
  explicit?: string | undefined;
  /** What the document says: front matter, `<html lang>`. */
  hint?: string | null | undefined;
  /** Workspace path, whose folders may name a language: `docs/pt-br/index.md`, `README.zh-CN.md`. */
  path: string;
  text: string;
}

/** Characters of a text that are looked at. */
const SAMPLE = 20_000;

/**
 * Returns the language of a document as a BCP 47 tag in lower case, `null` when nothing tells.
 *
 * In this order: the caller, the document, a folder or file name that is a language tag and that the script of the
 * text does not contradict, the script of the text where one language has it to itself.
 */
export function detectLanguage(clues: LanguageClues): string | null {
  const said = clues.explicit ?? languageTag(clues.hint);
  if (said !== null) return said;
  const sample = clues.text.slice(0, SAMPLE);
  for (const candidate of tagsInPath(clues.path)) {
    if (isPlausible(candidate, sample)) return candidate;
  }
  return languageOfScript(sample);
}

const TAG = /^[a-z]{2,3}(?:-[a-z0-9]{1,8})*$/;

/** Returns a language tag in lower case (`en_US.UTF-8` → `en-us`), `null` when the value is none. */
export function languageTag(value: string | null | undefined): string | null {
  if (value === null || value === undefined) return null;
  const tag = value
    .trim()
    .toLowerCase()
    .replaceAll("_", "-")
    .replace(/\.[a-z0-9-]+$/, "");
  return TAG.test(tag) && tag.length <= 35 ? tag : null;
}

/** Languages that documentation is written in and whose folders bear their code. */
const LANGUAGES = new Set(
  (
    "en zh ja ko de fr es pt it nl ru uk pl cs sk sl hr sr bg mk be ro hu el tr az kk uz ky tg mn sv no nb nn da fi is et lv lt " +
    "ar fa he ur ps hi bn mr ne ta te kn ml gu pa si th lo my km vi id ms fil tl sw af sq hy ka am eu ca gl cy ga eo la ha yo ig zu xh bo ug"
  ).split(" "),
);

/** Region or script of a tag in a path: `zh-cn`, `zh-hant`, `sr-latn`, `es-419`. */
const PATH_TAG = /^([a-z]{2,3})(?:[-_]((?:hans|hant|latn|cyrl)|[a-z]{2}|419))?$/;

/** Codes that are also names of folders; their language must show in the words or letters of the text. */
const EVIDENCE: Readonly<Record<string, RegExp>> = {
  am: /\p{Script=Ethiopic}/u,
  be: /[ўіё]/i,
  ca: /\b(?:amb|els|les|una|aquest|per)\b[\s\S]*\b(?:amb|els|les|una|aquest|per)\b/i,
  cs: /[ěřů]|[čšž][\s\S]*[čšž]/i,
  cy: /\b(?:yn|mae|gyda)\b/i,
  da: /[æøå]/i,
  eo: /[ĉĝĵŝŭ]/i,
  et: /[õäöü]/i,
  eu: /\b(?:eta|dira|bat)\b/i,
  ga: /\b(?:agus|atá|seo)\b/i,
  gl: /\b(?:unha|coa|polo|máis)\b/i,
  ha: /\b(?:wannan|kuma|daga)\b/i,
  hr: /[čćđšž]/i,
  id: /\b(?:yang|dan|untuk|dengan|adalah)\b/i,
  ig: /[ịọụṅ]/i,
  is: /[ðþ]/i,
  it: /\b(?:che|della|delle|sono|questo|questa|per il|una)\b/i,
  la: /\b(?:est|sunt|quod|atque)\b/i,
  lo: /\p{Script=Lao}/u,
  lt: /[ėįųūčšž]/i,
  lv: /[āēīūļņģķ]/i,
  ml: /\p{Script=Malayalam}/u,
  ms: /\b(?:yang|dan|untuk|dengan|adalah)\b/i,
  my: /\p{Script=Myanmar}/u,
  nb: /[æøå]/i,
  nn: /[æøå]/i,
  no: /[æøå]/i,
  pa: /\p{Script=Gurmukhi}|\p{Script=Arabic}/u,
  ps: /\p{Script=Arabic}/u,
  si: /\p{Script=Sinhala}/u,
  sl: /[čšž]/i,
  sq: /[ëç]/i,
  sr: /\p{Script=Cyrillic}|[čćđšž]/iu,
  sv: /[åäö]/i,
  ta: /\p{Script=Tamil}/u,
  te: /\p{Script=Telugu}/u,
  tl: /\b(?:ang|mga|ng)\b/i,
  xh: /\b(?:kwaye|ukuba)\b/i,
  yo: /[ẹọṣ]/i,
  zu: /\b(?:ukuthi|futhi)\b/i,
};

/** Tags among the folders of a path, outermost first, then in the name of the file (`index.de.md`, `guide_ko.txt`). */
function tagsInPath(path: string): string[] {
  const segments = path.toLowerCase().split("/");
  const name = segments.pop() ?? "";
  const inName = /[._-]([a-z]{2}(?:[-_](?:hans|hant|[a-z]{2}))?)\.[a-z0-9]+$/.exec(name)?.[1];
  const tags: string[] = [];
  for (const segment of inName === undefined ? segments : [...segments, inName]) {
    const match = PATH_TAG.exec(segment);
    if (match !== null && LANGUAGES.has(match[1]!)) tags.push(segment.replaceAll("_", "-"));
  }
  return tags;
}

function isPlausible(tag: string, sample: string): boolean {
  const language = tag.split("-", 1)[0]!;
  if (contradicts(tag, sample)) return false;
  return tag !== language || EVIDENCE[language]?.test(sample) !== false;
}
