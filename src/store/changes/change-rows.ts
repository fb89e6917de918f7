import type { Change, ChangeTopic } from "../../contracts/changes.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";

interface ChangeRow {
  sequence: number;
  topic: ChangeTopic;
  kind: "inserted" | "updated" | "deleted";
  id: string;
  corpusRevision: number | null;
  at: number;
  sessionId: string | null;
  turnIndex: number | null;
}

/** Returns the sequence of the newest change, 0 before the first. */
export async function newestChange(db: SqlExecutor): Promise<number> {
  const row = await db.get<{ newest: number | null }>("SELECT max(sequence) AS newest FROM changes");
  return row?.newest ?? 0;
}

/** Returns the first changes after a sequence, at most `limit`; a `reset` where some of them are no longer in the log, or where no
 *  change has such a sequence yet: it is of another store, or of a state that a backup took back. */
export async function changesAfter(db: SqlExecutor, sequence: number, limit: number): Promise<Change[]> {
  const rows = await db.all<ChangeRow>(
    `SELECT sequence, topic, kind, subject_id AS id, corpus_revision AS "corpusRevision", at, session_id AS "sessionId",
       turn_index AS "turnIndex" FROM changes WHERE sequence > $1 ORDER BY sequence LIMIT $2`,
    [sequence, limit],
  );
  // Read after the rows: what was cut in between may be missing among them, and is found cut here.
  const cut = await db.get<{ value: string }>("SELECT value FROM kv WHERE key = 'changes_cut'");
  if (sequence < Number(cut?.value ?? 0)) return [reset(await newestChange(db))];
  if (rows.length === 0) {
    const newest = await newestChange(db);
    if (newest < sequence) return [reset(newest)];
  }
  return rows.map(toChange);
}

function toChange({ sessionId, turnIndex, ...row }: ChangeRow): Change {
  return {
    ...row,
    ...(sessionId === null ? {} : { sessionId }),
    ...(turnIndex === null ? {} : { turnIndex }),
  };
}

function reset(sequence: number): Change {
  return { sequence, topic: null, kind: "reset", id: null, corpusRevision: null, at: Date.now() };
}
