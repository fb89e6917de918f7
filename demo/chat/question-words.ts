/** Words of English questions that say nothing about what is asked for. */
const EMPTY_WORDS = new Set(
  (
    "a about all am an and any are as at be been being but by can could describe did do does explain for from get had happen happened " +
    "happens has have how i if in into is it its mean means me my " +
    "no not of on or our please should show so some tell that the their them then there these they this those to us was we were what when " +
    "where which who whom whose why will with would you your"
  ).split(" "),
);

const words = new Intl.Segmenter(undefined, { granularity: "word" });

/** The words of a text in the form in which they are compared: small letters, no accents, without the endings of English. */
export function comparableWords(text: string): Set<string> {
  const found = new Set<string>();
  for (const { segment, isWordLike } of words.segment(plain(text))) {
    if (isWordLike === true) found.add(withoutEnding(segment));
  }
  return found;
}

/** The words of a question that say what is asked for; all of them where none does. */
export function questionWords(question: string): Set<string> {
  const telling = [...words.segment(plain(question))]
    .filter(({ segment, isWordLike }) => isWordLike === true && !EMPTY_WORDS.has(segment))
    .map(({ segment }) => withoutEnding(segment));
  return telling.length > 0 ? new Set(telling) : comparableWords(question);
}

/** Whether a word says nothing about what is asked for. */
export function isEmptyWord(word: string): boolean {
  return EMPTY_WORDS.has(plain(word));
}

function plain(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .normalize("NFC")
    .toLowerCase();
}

/** Cuts what English words are inflected with, roughly: it is compared, never shown. */
function withoutEnding(word: string): string {
  const cut = word.replace(/(?<=[a-z]{3})(?:ations?|ings?|ions?|ed|ers?|es|s|ly)$/, "");
  return cut.replace(/(?<=[a-z]{3})e$/, "");
}
