import { Pruning } from "./prune.ts";
import type { CorpusStatistics } from "./statistics.ts";
import { allOf, anyOf, type ParsedQuery, type Term, without } from "./query.ts";

/**
 * One step of an answer: rows for which `ranking` matches and, where given, `must` holds, best first. The tiers of a
 * plan have no row in common and are read one after the other, until the page is full.
 */
export interface Tier {
  name: "words" | "common words in headings" | "common words";
  ranking: string;
  must: string | undefined;
  /** How the best are found without scoring all. */
  pruning?: Pruning;
}

export interface SearchPlan {
  tiers: Tier[];
  commonWords: string[];
}

/** Below this many chunks every word is scored: there is no time to win. */
const SMALL_CORPUS = 2000;

/** A word that stands in more than this share of the chunks is scored last: FTS5 gives it no weight. */
const COMMON_SHARE = 0.5;

/** A word that stands in more chunks than this takes too long to score them all; where no other word is rarer, headings come first. */
const COMMON_ROWS = 10_000;

/**
 * Decides what is scored, and in which order.
 *
 * FTS5 computes BM25 for every row that matches, so a word that stands in more than half of all chunks costs most of
 * the time, and its inverse document frequency is zero: it changes no score. Such words are scored only after the rows
 * that hold a rarer word, those in headings first.
 */
export async function planSearch(parsed: ParsedQuery, statistics: CorpusStatistics): Promise<SearchPlan> {
  const { required, excluded, terms } = parsed;
  const content = terms.filter((term) => !term.functionWord);
  const scored = content.length > 0 ? content : terms;
  if (required.length > 0) return { tiers: [phraseTier(parsed, content)], commonWords: [] };
  if (scored.length === 0) return { tiers: [], commonWords: [] };
  if (parsed.headingPrefix !== undefined) return headingPlan(parsed.headingPrefix, scored, excluded);

  const { rare, common } = await byFrequency(scored, statistics);
  const tiers: Tier[] = [];
  if (rare.length > 0) {
    const pruning = (await statistics.chunks()) < SMALL_CORPUS ? undefined : await Pruning.of(rare, statistics);
    tiers.push({
      name: "words",
      ranking: ranking(rare),
      must: must(rare, excluded),
      ...(pruning === undefined ? {} : { pruning }),
    });
  }
  if (common.length > 0) {
    const seen = rare.length > 0 ? [exact(rare)] : [];
    const inHeadings = `{heading} : (${exact(common)})`;
    const others = [...excluded, ...seen];
    // Headings hold words as written: where each is its own stem, ranking by stems finds nothing else there.
    const says = common.every((term) => term.isStem) && others.length === 0;
    tiers.push({
      name: "common words in headings",
      ranking: `{heading} : (${ranking(common)})`,
      must: says ? undefined : without(inHeadings, others),
    });
    tiers.push({
      name: "common words",
      ranking: ranking(common),
      must: must(common, [...others, inHeadings]),
    });
  }
  return { tiers, commonWords: common.map((term) => term.word) };
}

/** Phrases must stand in a hit; they and the other words rank it. */
function phraseTier(parsed: ParsedQuery, content: readonly Term[]): Tier {
  return {
    name: "words",
    ranking: anyOf([...parsed.required, ...content.map((term) => term.ranking)]),
    must: without(allOf(parsed.required), parsed.excluded),
  };
}

function headingPlan(headingPrefix: string, scored: readonly Term[], excluded: readonly string[]): SearchPlan {
  return {
    tiers: [
      { name: "words", ranking: without(headingPrefix, excluded), must: undefined },
      { name: "words", ranking: without(exact(scored), [...excluded, headingPrefix]), must: undefined },
    ],
    commonWords: [],
  };
}

async function byFrequency(
  terms: readonly Term[],
  statistics: CorpusStatistics,
): Promise<{ rare: Term[]; common: Term[] }> {
  const chunks = await statistics.chunks();
  if (chunks < SMALL_CORPUS) return { rare: [...terms], common: [] };
  const rare: Term[] = [];
  const common: Term[] = [];
  let rarest = Number.POSITIVE_INFINITY;
  for (const term of terms) {
    const rows = await statistics.matches(term.ranking);
    rarest = Math.min(rarest, rows);
    (rows > chunks * COMMON_SHARE ? common : rare).push(term);
  }
  return terms.length === 1 && rarest > COMMON_ROWS ? { rare: [], common: [...terms] } : { rare, common };
}

function ranking(terms: readonly Term[]): string {
  return anyOf(terms.map((term) => term.ranking));
}

function exact(terms: readonly Term[]): string {
  return anyOf([...new Set(terms.map((term) => term.exact))]);
}

/** What must hold besides the ranking expression; undefined where that says it already. */
function must(terms: readonly Term[], excluded: readonly string[]): string | undefined {
  const differs = terms.some((term) => term.exact !== term.ranking);
  return differs || excluded.length > 0 ? without(exact(terms), excluded) : undefined;
}
