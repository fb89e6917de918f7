/** The measures as they are published, the simplest way: from the whole ranking and all judgements, with no step shared with the store's. */
export interface NaiveMeasures {
  ndcg: number;
  recall: number;
  precision: number;
  reciprocalRank: number;
  averagePrecision: number;
}

/** @param ranking Keys, best first. */
export function naiveMeasures(
  k: number,
  ranking: readonly string[],
  grades: ReadonlyMap<string, number>,
): NaiveMeasures {
  const gradeAt = (rank: number): number => Math.max(0, grades.get(ranking[rank - 1] ?? "") ?? 0);
  const isRelevant = (rank: number): boolean => gradeAt(rank) > 0;
  const relevant = [...grades.values()].filter((grade) => grade > 0).length;
  const ranks = Array.from({ length: ranking.length }, (_, index) => index + 1);
  const relevantUpTo = (rank: number): number => ranks.filter((one) => one <= rank && isRelevant(one)).length;
  const discounted = (gains: readonly number[]): number =>
    gains.slice(0, k).reduce((sum, gain, index) => sum + (gain * Math.LN2) / Math.log(index + 2), 0);
  const ideal = discounted([...grades.values()].map((grade) => Math.max(0, grade)).toSorted((a, b) => b - a));
  const first = ranks.find(isRelevant);
  return {
    ndcg: discounted(ranks.map(gradeAt)) / ideal,
    recall: relevantUpTo(k) / relevant,
    precision: relevantUpTo(k) / k,
    reciprocalRank: first === undefined ? 0 : 1 / first,
    averagePrecision: ranks.filter(isRelevant).reduce((sum, rank) => sum + relevantUpTo(rank) / rank, 0) / relevant,
  };
}
