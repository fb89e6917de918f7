/** A ranking against its judgements. Every measure is a function of this alone. */
export interface RankedGrades {
  /** Rank from 1 and grade of each relevant document that was found, in the order of ranks. Relevant is a grade of 1 and more: what is not
   *  judged is not relevant, nor is what has a grade of 0 and less. */
  found: readonly (readonly [rank: number, grade: number])[];
  /** Grades of all relevant documents, found or not, greatest first. */
  ideal: readonly number[];
}

/** Returns which places of a ranking are relevant.
 *  @param ranking Keys, best first, each once. @param grades By key. */
export function rankGrades(ranking: readonly string[], grades: ReadonlyMap<string, number>): RankedGrades {
  const found: [number, number][] = [];
  for (const [index, key] of ranking.entries()) {
    const grade = grades.get(key) ?? 0;
    if (grade >= 1) found.push([index + 1, grade]);
  }
  const ideal = [...grades.values()].filter((grade) => grade >= 1).sort((a, b) => b - a);
  return { found, ideal };
}
