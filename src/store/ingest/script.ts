/** Writing systems by the letters of a text, and the languages that use them. */
const SCRIPTS = [
  "Latin",
  "Cyrillic",
  "Greek",
  "Armenian",
  "Hebrew",
  "Arabic",
  "Devanagari",
  "Bengali",
  "Gurmukhi",
  "Gujarati",
  "Tamil",
  "Telugu",
  "Kannada",
  "Malayalam",
  "Sinhala",
  "Thai",
  "Lao",
  "Tibetan",
  "Myanmar",
  "Georgian",
  "Hangul",
  "Ethiopic",
  "Khmer",
  "Kana",
  "Han",
] as const;

export type Script = (typeof SCRIPTS)[number];

/** Ends of the Unicode ranges of each script; a code belongs to the first range whose end is above it. */
const RANGES: readonly (readonly [end: number, script: Script | null])[] = [
  [0x41, null],
  [0x5b, "Latin"],
  [0x61, null],
  [0x7b, "Latin"],
  [0xc0, null],
  [0x250, "Latin"],
  [0x370, null],
  [0x400, "Greek"],
  [0x530, "Cyrillic"],
  [0x590, "Armenian"],
  [0x600, "Hebrew"],
  [0x780, "Arabic"],
  [0x900, null],
  [0x980, "Devanagari"],
  [0xa00, "Bengali"],
  [0xa80, "Gurmukhi"],
  [0xb00, "Gujarati"],
  [0xb80, null],
  [0xc00, "Tamil"],
  [0xc80, "Telugu"],
  [0xd00, "Kannada"],
  [0xd80, "Malayalam"],
  [0xe00, "Sinhala"],
  [0xe80, "Thai"],
  [0xf00, "Lao"],
  [0x1000, "Tibetan"],
  [0x10a0, "Myanmar"],
  [0x1100, "Georgian"],
  [0x1200, "Hangul"],
  [0x1400, "Ethiopic"],
  [0x1780, null],
  [0x1800, "Khmer"],
  [0x1e00, null],
  [0x1f00, "Latin"],
  [0x2000, "Greek"],
  [0x3041, null],
  [0x3100, "Kana"],
  [0x3400, null],
  [0xa000, "Han"],
  [0xac00, null],
  [0xd7b0, "Hangul"],
  [0xf900, null],
  [0xfb00, "Han"],
  [0xfb50, "Hebrew"],
  [0xff00, "Arabic"],
  [0x10000, null],
];

/** Number of the script of every code of the basic plane, from 1; 0 for none. Made when it is first needed. */
let table: Uint8Array | undefined;

function scriptTable(): Uint8Array {
  if (table !== undefined) return table;
  table = new Uint8Array(0x10000);
  let from = 0;
  for (const [end, script] of RANGES) {
    table.fill(script === null ? 0 : SCRIPTS.indexOf(script) + 1, from, end);
    from = end;
  }
  return table;
}

/** Counts the letters of each script. A Han, Kana or Hangul character counts two: it says as much as a short word. */
export function countScripts(text: string): ReadonlyMap<Script, number> {
  const numbers = scriptTable();
  const found = new Uint32Array(SCRIPTS.length + 1);
  for (let i = 0; i < text.length; i++) found[numbers[text.charCodeAt(i)]!]!++;
  const counts = new Map<Script, number>();
  SCRIPTS.forEach((script, index) => {
    const count = found[index + 1]!;
    if (count > 0) counts.set(script, isWide(script) ? 2 * count : count);
  });
  return counts;
}

function isWide(script: Script): boolean {
  return script === "Han" || script === "Kana" || script === "Hangul";
}

/** Scripts that one language has to itself, or nearly so. */
const LANGUAGE: Partial<Record<Script, string>> = {
  Greek: "el",
  Armenian: "hy",
  Hebrew: "he",
  Bengali: "bn",
  Gurmukhi: "pa",
  Gujarati: "gu",
  Tamil: "ta",
  Telugu: "te",
  Kannada: "kn",
  Malayalam: "ml",
  Sinhala: "si",
  Thai: "th",
  Lao: "lo",
  Tibetan: "bo",
  Myanmar: "my",
  Georgian: "ka",
  Hangul: "ko",
  Ethiopic: "am",
  Khmer: "km",
};

/** Share of the letters that a script needs to tell the language: the rest is code, names and quotations. */
const TELLING_SHARE = 0.2;

/** Returns the language that the script of a text leaves no doubt of, else `null`. */
export function languageOfScript(text: string): string | null {
  const counts = countScripts(text);
  let total = 0;
  for (const count of counts.values()) total += count;
  const share = (script: Script): number => (total === 0 ? 0 : (counts.get(script) ?? 0) / total);
  const japanese = share("Han") + share("Kana");
  let best: string | null = null;
  let bestShare = TELLING_SHARE;
  if (japanese >= bestShare) {
    // Japanese is hardly ever written without Kana; a Chinese text quotes a few.
    best = share("Kana") > japanese * 0.1 ? "ja" : "zh";
    bestShare = japanese;
  }
  for (const script of SCRIPTS) {
    const language = LANGUAGE[script];
    if (language === undefined || share(script) < bestShare) continue;
    best = language;
    bestShare = share(script);
  }
  return best;
}

const SCRIPTS_OF: Readonly<Record<string, readonly Script[]>> = {
  ...Object.fromEntries("ru uk bg mk be kk ky tg mn".split(" ").map((language) => [language, ["Cyrillic"] as const])),
  ...Object.fromEntries("ar fa ur ps ug".split(" ").map((language) => [language, ["Arabic"] as const])),
  ...Object.fromEntries("hi mr ne".split(" ").map((language) => [language, ["Devanagari"] as const])),
  ...Object.fromEntries(Object.entries(LANGUAGE).map(([script, language]) => [language, [script as Script]])),
  zh: ["Han"],
  ja: ["Kana", "Han"],
  sr: ["Cyrillic", "Latin"],
  az: ["Latin", "Cyrillic", "Arabic"],
  uz: ["Latin", "Cyrillic"],
  pa: ["Gurmukhi", "Arabic"],
};

/** Whether a text cannot be in the language of a tag: hardly a letter of its script, or mostly of others. */
export function contradicts(tag: string, text: string): boolean {
  const counts = countScripts(text);
  const own = SCRIPTS_OF[tag.split("-", 1)[0]!] ?? (["Latin"] as const);
  let mine = 0;
  let foreign = 0;
  for (const [script, count] of counts) {
    if (own.includes(script)) mine += count;
    else if (script !== "Latin") foreign += count;
  }
  if (mine + foreign === 0) return !own.includes("Latin") && counts.size > 0;
  const latin = counts.get("Latin") ?? 0;
  return foreign > mine || (!own.includes("Latin") && mine < latin * 0.01);
}
