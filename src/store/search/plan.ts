import type { Corpus } from "./corpus.ts";
import { allOf, anyOf, inHeading, without } from "./expressions.ts";
import type { ParsedQuery, Term } from "./query.ts";

/**
 * One step of an answer: chunks that are ranked by some expressions, best first. The tiers of a plan have no chunk in common and are
 * read one after the other, until the page is full.
 */
export interface Tier {
  name: "words" | "common words in headings" | "common words";
  /** Each adds to the score, as often as it is there. */
  ranking: readonly string[];
  /** One of these must hold; `undefined` where any that ranks will do. */
  any: readonly string[] | undefined;
  /** All of these must hold, */
  all: readonly string[];
  /** and none of these. */
  none: readonly string[];
}

export interface SearchPlan {
  tiers: Tier[];
  commonWords: string[];
}

/** Below this many chunks every word is scored: there is no time to win. */
const SMALL_CORPUS = 2000;

/** A word that stands in more than this share of the chunks is scored last: BM25 gives it no weight. */
const COMMON_SHARE = 0.5;

/** A word that stands in more chunks than this says little; where no other word is rarer, headings come first. */
const COMMON_ROWS = 10_000;

/**
 * Decides what is scored, and in which order.
 *
 * A word that stands in more than half of all chunks has the longest list, and its inverse document frequency is zero: it changes no
 * score. Such words are scored only after the chunks that hold a rarer word, those in headings first.
 */
export async function planSearch(parsed: ParsedQuery, corpus: Corpus): Promise<SearchPlan> {
  const { required, excluded, terms } = parsed;
  const content = terms.filter((term) => !term.functionWord);
  const scored = content.length > 0 ? content : terms;
  if (required.length > 0) return { tiers: [phraseTier(parsed, content)], commonWords: [] };
  if (scored.length === 0) return { tiers: [], commonWords: [] };
  if (parsed.headingPrefix !== undefined) return headingPlan(parsed.headingPrefix, scored, excluded);

  const { rare, common } = await byFrequency(scored, corpus);
  const tiers: Tier[] = [];
  if (rare.length > 0) {
    tiers.push({ name: "words", ranking: ranking(rare), any: asked(rare), all: [], none: excluded });
  }
  if (common.length > 0) {
    const seen = rare.length > 0 ? exact(rare) : [];
    const none = [...excluded, ...seen];
    const headings = exact(common).map(inHeading);
    tiers.push({
      name: "common words in headings",
      // Headings hold words as written: where each is its own stem, ranking by stems finds nothing else there.
      ranking: ranking(common).map(inHeading),
      any: common.every((term) => term.isStem) ? undefined : headings,
      all: [],
      none,
    });
    tiers.push({
      name: "common words",
      ranking: ranking(common),
      any: asked(common),
      all: [],
      none: [...none, ...headings],
    });
  }
  return { tiers, commonWords: common.map((term) => term.word) };
}

/** What must hold besides the ranking, as one FTS5 expression; `undefined` where the ranking says it already. */
export function mustOf({ ranking: ranked, any, all, none }: Tier): string | undefined {
  if (all.length > 0) return without(allOf(all), none);
  if (any === undefined && none.length === 0) return undefined;
  return without(anyOf(any ?? ranked), none);
}

/** Phrases must stand in a hit; they and the other words rank it. */
function phraseTier(parsed: ParsedQuery, content: readonly Term[]): Tier {
  return {
    name: "words",
    ranking: [...parsed.required, ...ranking(content)],
    any: undefined,
    all: parsed.required,
    none: parsed.excluded,
  };
}

function headingPlan(headingPrefix: string, scored: readonly Term[], excluded: readonly string[]): SearchPlan {
  const tier = { name: "words", any: undefined, all: [] } as const;
  return {
    tiers: [
      { ...tier, ranking: [headingPrefix], none: excluded },
      { ...tier, ranking: exact(scored), none: [...excluded, headingPrefix] },
    ],
    commonWords: [],
  };
}

async function byFrequency(terms: readonly Term[], corpus: Corpus): Promise<{ rare: Term[]; common: Term[] }> {
  if (corpus.chunks < SMALL_CORPUS) return { rare: [...terms], common: [] };
  const rare: Term[] = [];
  const common: Term[] = [];
  let rarest = Number.POSITIVE_INFINITY;
  for (const term of terms) {
    const chunks = (await corpus.posting(term.ranking)).places.length;
    rarest = Math.min(rarest, chunks);
    (chunks > corpus.chunks * COMMON_SHARE ? common : rare).push(term);
  }
  return terms.length === 1 && rarest > COMMON_ROWS ? { rare: [], common: [...terms] } : { rare, common };
}

function ranking(terms: readonly Term[]): string[] {
  return terms.map((term) => term.ranking);
}

function exact(terms: readonly Term[]): string[] {
  return [...new Set(terms.map((term) => term.exact))];
}

/** What a hit must hold one of, where that is not what ranks it. */
function asked(terms: readonly Term[]): string[] | undefined {
  return terms.some((term) => term.exact !== term.ranking) ? exact(terms) : undefined;
}
