/** Finds turns without their row of the index, and rows without their turn. */
export const TURN_INDEX_PROBLEMS = `SELECT 'turn ' || turn_id || ' is not indexed' AS problem FROM chat_turns
  WHERE turn_key NOT IN (SELECT id FROM chat_turns_fts_docsize)
  UNION ALL
  SELECT 'index row ' || id || ' has no turn' FROM chat_turns_fts_docsize WHERE id NOT IN (SELECT turn_key FROM chat_turns)`;

/** Finds sessions whose turns have gaps between their numbers. */
export const TURN_PROBLEMS = `SELECT 'turns of chat session ' || session_id || ' are not numbered without gaps' AS problem
  FROM chat_turns GROUP BY session_id HAVING count(*) <> max(turn_index) + 1`;
