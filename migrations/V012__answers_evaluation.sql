-- Answers with what they stand on, suites of queries, and runs of them.

-- Counts up with every answer: an order that no clock decides.
ALTER TABLE answers ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE answers ADD COLUMN outcome TEXT NOT NULL DEFAULT 'ungrounded'
  CHECK (outcome IN ('grounded', 'ungrounded', 'refused'));
ALTER TABLE answers ADD COLUMN refusal_reason TEXT;
ALTER TABLE answers ADD COLUMN packed_chunks TEXT NOT NULL DEFAULT '[]';
ALTER TABLE answers ADD COLUMN prompt_tokens INTEGER;
ALTER TABLE answers ADD COLUMN completion_tokens INTEGER;
ALTER TABLE answers ADD COLUMN latency_ms REAL;
ALTER TABLE answers ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
-- No foreign keys: an answer outlives the conversation that it was given in.
ALTER TABLE answers ADD COLUMN session_id TEXT;
ALTER TABLE answers ADD COLUMN turn_id TEXT;
UPDATE answers SET
  sequence = (SELECT count(*) FROM answers other
    WHERE (other.created_at, other.answer_id) <= (answers.created_at, answers.answer_id)),
  outcome = CASE WHEN citations = '[]' THEN 'ungrounded' ELSE 'grounded' END;
CREATE INDEX idx_answers_sequence ON answers (sequence);
CREATE INDEX idx_answers_session ON answers (session_id, sequence) WHERE session_id IS NOT NULL;

-- The queries stand last: what lists suites does not read them.
CREATE TABLE eval_suites (
  suite_key    INTEGER PRIMARY KEY,
  name         TEXT NOT NULL UNIQUE,
  suite_hash   TEXT NOT NULL,
  description  TEXT,
  judged       TEXT NOT NULL CHECK (judged IN ('path', 'document', 'chunk')),
  query_count  INTEGER NOT NULL CHECK (query_count >= 1),
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL,
  queries      TEXT NOT NULL
);

ALTER TABLE eval_runs ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE eval_runs ADD COLUMN suite_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE eval_runs ADD COLUMN label TEXT;
ALTER TABLE eval_runs ADD COLUMN status TEXT NOT NULL DEFAULT 'interrupted'
  CHECK (status IN ('running', 'completed', 'cancelled', 'failed', 'interrupted'));
ALTER TABLE eval_runs ADD COLUMN error TEXT;
ALTER TABLE eval_runs ADD COLUMN query_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE eval_runs ADD COLUMN done_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE eval_runs ADD COLUMN end_revision INTEGER;
UPDATE eval_runs SET sequence = (SELECT count(*) FROM eval_runs other
  WHERE (other.started_at, other.eval_run_id) <= (eval_runs.started_at, eval_runs.eval_run_id));
CREATE INDEX idx_eval_runs_sequence ON eval_runs (sequence);
CREATE INDEX idx_eval_runs_suite ON eval_runs (suite, sequence);

-- Place in the suite, relevant documents in all, and place and grade of those that were found.
ALTER TABLE eval_query_results ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE eval_query_results ADD COLUMN relevant INTEGER NOT NULL DEFAULT 0;
ALTER TABLE eval_query_results ADD COLUMN found TEXT NOT NULL DEFAULT '[]';
CREATE INDEX idx_eval_query_results_ordinal ON eval_query_results (eval_run_id, ordinal);
