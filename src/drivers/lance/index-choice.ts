/** Rows of a partition: so many are compared for each that is looked into. */
const ROWS_EACH = 400;
const MOST_PARTITIONS = 4096;
/** Asks for all of them: every row is compared, in memory, which takes an eighth of the time of a scan of the files. */
export const ALL_PARTITIONS: number = MOST_PARTITIONS;
/** One partition is looked into for so much of the width of a walk: 32 at the default width. */
const WIDTH_EACH = 3;
/** Beyond so many partitions the nearest lie in more of them. */
const USUAL_PARTITIONS = 256;

/** Partitions of an index over so many rows. */
export function partitionsFor(rows: number): number {
  return Math.max(1, Math.min(MOST_PARTITIONS, Math.round(rows / ROWS_EACH)));
}

/** Partitions that a search of width `ef` looks into: all of them where it would be as many as are known, for there may be more than the
 *  database was told of before a crash. Measured for a recall@10 of 0.99: DESIGN.md. */
export function probesFor(ef: number, partitions: number): number {
  const wider = Math.max(1, Math.sqrt(partitions / USUAL_PARTITIONS));
  const wanted = Math.ceil((ef / WIDTH_EACH) * wider);
  return wanted >= partitions ? ALL_PARTITIONS : wanted;
}
