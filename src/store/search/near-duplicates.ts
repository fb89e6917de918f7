/** Words that a shingle spans. */
const SHINGLE_WORDS = 5;
/** Share of the shorter text's shingles that stand in the other, from which on it says nothing new. */
const MOSTLY = 0.6;

/** A text's runs of words: what near-duplicates share. */
export function shinglesOf(text: string): Set<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  // Scripts without spaces make few words: their characters stand in.
  const units = words.length * 12 < text.length ? [...text.replaceAll(/\s+/gu, "")] : words;
  const shingles = new Set<string>();
  for (let i = 0; i + SHINGLE_WORDS <= units.length; i++) shingles.add(units.slice(i, i + SHINGLE_WORDS).join(" "));
  if (shingles.size === 0 && units.length > 0) shingles.add(units.join(" "));
  return shingles;
}

/** Whether one of two texts mostly stands in the other. */
export function nearDuplicates(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  const [few, many] = a.size <= b.size ? [a, b] : [b, a];
  if (few.size === 0) return false;
  let shared = 0;
  for (const shingle of few) if (many.has(shingle)) shared++;
  return shared / few.size >= MOSTLY;
}
