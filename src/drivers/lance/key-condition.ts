/** Most keys or runs of keys of one condition. */
export const MOST_TERMS = 10_000;
/** A run at least this long is written as a range. */
const RUN = 4;

/** Returns conditions that together hold for rows of exactly these chunk keys, each of bounded length.
 *  @param keys Ascending. */
export function keyConditions(keys: Uint32Array): string[] {
  const conditions: string[] = [];
  let singles: number[] = [];
  let ranges: string[] = [];
  const end = (): void => {
    if (singles.length > 0) ranges.push(`chunk_key IN (${singles.join(",")})`);
    if (ranges.length > 0) conditions.push(anyOf(ranges));
    singles = [];
    ranges = [];
  };
  for (let at = 0; at < keys.length;) {
    const first = keys[at] as number;
    let to = at + 1;
    while (to < keys.length && keys[to] === first + (to - at)) to++;
    if (to - at >= RUN) ranges.push(`chunk_key BETWEEN ${first} AND ${first + (to - at) - 1}`);
    else for (let one = at; one < to; one++) singles.push(keys[one] as number);
    if (singles.length >= MOST_TERMS || ranges.length >= MOST_RANGES) end();
    at = to;
  }
  end();
  return conditions;
}

/** Ranges are looked at one after the other for every row. */
const MOST_RANGES = 64;

/** Nested in halves: a long chain of ORs is as deep as it is long for whoever parses it. */
function anyOf(terms: readonly string[]): string {
  if (terms.length === 1) return terms[0] as string;
  const middle = terms.length >> 1;
  return `(${anyOf(terms.slice(0, middle))} OR ${anyOf(terms.slice(middle))})`;
}

/** A text as SQL of Lance has it. */
export function textLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Returns a condition that holds where the column has one of the texts. */
export function oneOfTexts(column: string, texts: readonly string[]): string {
  return `${column} IN (${texts.map(textLiteral).join(",")})`;
}
