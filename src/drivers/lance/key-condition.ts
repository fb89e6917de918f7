/** Most keys of one condition. */
const MOST_KEYS = 10_000;
/** Most ranges of one condition, each of which is looked at for every row; a list is looked up once. */
const MOST_RANGES = 16;

/** Returns conditions that together hold for rows of exactly these chunk keys, each of bounded length.
 *  @param keys Ascending. */
export function keyConditions(keys: Uint32Array): string[] {
  const ranges = rangesOf(keys);
  if (ranges !== undefined) return ranges.length === 0 ? [] : [anyOf(ranges)];
  const conditions: string[] = [];
  for (let at = 0; at < keys.length; at += MOST_KEYS) {
    conditions.push(`chunk_key IN (${keys.subarray(at, at + MOST_KEYS).join(",")})`);
  }
  return conditions;
}

/** The runs of keys, as chunks of one document or of one ingest have them; `undefined` where there are too many. */
function rangesOf(keys: Uint32Array): string[] | undefined {
  const ranges: string[] = [];
  for (let at = 0; at < keys.length;) {
    if (ranges.length === MOST_RANGES) return undefined;
    const first = keys[at] as number;
    let to = at + 1;
    while (to < keys.length && keys[to] === first + (to - at)) to++;
    ranges.push(`chunk_key BETWEEN ${first} AND ${first + (to - at) - 1}`);
    at = to;
  }
  return ranges;
}

function anyOf(terms: readonly string[]): string {
  return terms.length === 1 ? (terms[0] as string) : `(${terms.join(" OR ")})`;
}

/** A text as SQL of Lance has it. */
export function textLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Returns a condition that holds where the column has one of the texts. */
export function oneOfTexts(column: string, texts: readonly string[]): string {
  return `${column} IN (${texts.map(textLiteral).join(",")})`;
}

/** Returns a condition that holds for the vectors of one version of the model. */
export function ofVersion(modelVersion: string): string {
  return `model_version = ${textLiteral(modelVersion)}`;
}
