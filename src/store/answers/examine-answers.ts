import type { SqlExecutor } from "../../contracts/sql.ts";

const CITES_NOTHING = "outcome = 'grounded' AND citations = '[]'";

/** Finds answers that say they are grounded and cite nothing. */
export const ANSWER_PROBLEMS: string = `SELECT 'answer ' || answer_id || ' is grounded and cites nothing' AS problem
  FROM answers WHERE ${CITES_NOTHING}`;

/** Says of answers that cite nothing that they are not grounded. @returns how many there were. */
export async function ungroundAnswers(db: SqlExecutor): Promise<number> {
  const { changes } = await db.run(`UPDATE answers SET outcome = 'ungrounded' WHERE ${CITES_NOTHING}`);
  return changes;
}
