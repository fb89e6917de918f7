-- What changed, in order, written by triggers: no path that writes can forget it, and a change is here if and only if it was committed.

-- The newest row is never deleted, so that no number comes twice: AUTOINCREMENT would write another page with each change.
CREATE TABLE changes (
  sequence         INTEGER PRIMARY KEY,
  topic            TEXT NOT NULL,
  kind             TEXT NOT NULL CHECK (kind IN ('inserted', 'updated', 'deleted')),
  subject_id       TEXT NOT NULL,
  -- Of documents: what the revision of the corpus is at least once the change is committed.
  corpus_revision  INTEGER,
  -- Of turns.
  session_id       TEXT,
  turn_index       INTEGER,
  at               INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER))
);
CREATE INDEX idx_changes_documents ON changes (sequence) WHERE topic = 'documents';

-- The log keeps its newest 10,000 to 11,000 rows. Where it begins says changes_cut in kv.
CREATE TRIGGER changes_cut AFTER INSERT ON changes WHEN new.sequence % 1000 = 0 BEGIN
  INSERT INTO kv (key, value)
    SELECT 'changes_cut', CAST(sequence AS TEXT) FROM changes WHERE true ORDER BY sequence DESC LIMIT 1 OFFSET 10000
    ON CONFLICT (key) DO UPDATE SET value = excluded.value;
  DELETE FROM changes WHERE sequence <= (SELECT CAST(value AS INTEGER) FROM kv WHERE key = 'changes_cut');
END;

-- One row a document. The revision is raised after its rows are written, in the same transaction.
CREATE TRIGGER documents_changes_ai AFTER INSERT ON documents BEGIN
  INSERT INTO changes (topic, kind, subject_id, corpus_revision)
  VALUES ('documents', 'inserted', new.document_id, (SELECT CAST(value AS INTEGER) + 1 FROM kv WHERE key = 'corpus_revision'));
END;
CREATE TRIGGER documents_changes_au AFTER UPDATE ON documents BEGIN
  INSERT INTO changes (topic, kind, subject_id, corpus_revision)
  VALUES ('documents', 'updated', new.document_id, (SELECT CAST(value AS INTEGER) + 1 FROM kv WHERE key = 'corpus_revision'));
END;
CREATE TRIGGER documents_changes_ad AFTER DELETE ON documents BEGIN
  INSERT INTO changes (topic, kind, subject_id, corpus_revision)
  VALUES ('documents', 'deleted', old.document_id, (SELECT CAST(value AS INTEGER) + 1 FROM kv WHERE key = 'corpus_revision'));
END;

-- Chunks that change alone are an update of their document: none is written where the newest row is of this document and of the
-- revision that comes, for then it is of this transaction.
CREATE TRIGGER chunks_changes_ai AFTER INSERT ON chunks BEGIN
  INSERT INTO changes (topic, kind, subject_id, corpus_revision)
  SELECT 'documents', 'updated', d.document_id, CAST(k.value AS INTEGER) + 1
  FROM documents d JOIN kv k ON k.key = 'corpus_revision'
  WHERE d.document_key = new.document_key AND (d.document_id, CAST(k.value AS INTEGER) + 1) IS NOT
    (SELECT subject_id, corpus_revision FROM changes WHERE topic = 'documents' ORDER BY sequence DESC LIMIT 1);
END;
CREATE TRIGGER chunks_changes_au AFTER UPDATE ON chunks BEGIN
  INSERT INTO changes (topic, kind, subject_id, corpus_revision)
  SELECT 'documents', 'updated', d.document_id, CAST(k.value AS INTEGER) + 1
  FROM documents d JOIN kv k ON k.key = 'corpus_revision'
  WHERE d.document_key = new.document_key AND (d.document_id, CAST(k.value AS INTEGER) + 1) IS NOT
    (SELECT subject_id, corpus_revision FROM changes WHERE topic = 'documents' ORDER BY sequence DESC LIMIT 1);
END;
CREATE TRIGGER chunks_changes_ad AFTER DELETE ON chunks BEGIN
  INSERT INTO changes (topic, kind, subject_id, corpus_revision)
  SELECT 'documents', 'updated', d.document_id, CAST(k.value AS INTEGER) + 1
  FROM documents d JOIN kv k ON k.key = 'corpus_revision'
  WHERE d.document_key = old.document_key AND (d.document_id, CAST(k.value AS INTEGER) + 1) IS NOT
    (SELECT subject_id, corpus_revision FROM changes WHERE topic = 'documents' ORDER BY sequence DESC LIMIT 1);
END;

-- Which embeddings are searched. A change takes the place of one just before it of the same model, so that a batch is one row.
-- embedding_revision rises with each; one that was lost goes on from the milliseconds since 1970, far above any count.
CREATE TRIGGER embeddings_changes_ai AFTER INSERT ON embedding_records WHEN new.status = 'committed' BEGIN
  INSERT INTO changes (topic, kind, subject_id) VALUES ('embeddings', 'updated', new.model_id);
  DELETE FROM changes WHERE sequence = (SELECT max(sequence) - 1 FROM changes) AND topic = 'embeddings' AND subject_id = new.model_id;
  INSERT INTO kv (key, value) VALUES ('embedding_revision', CAST(CAST(unixepoch('subsec') * 1000 AS INTEGER) AS TEXT))
    ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(kv.value AS INTEGER) + 1 AS TEXT);
END;
CREATE TRIGGER embeddings_changes_au AFTER UPDATE OF status ON embedding_records
WHEN (new.status = 'committed') <> (old.status = 'committed') BEGIN
  INSERT INTO changes (topic, kind, subject_id) VALUES ('embeddings', 'updated', new.model_id);
  DELETE FROM changes WHERE sequence = (SELECT max(sequence) - 1 FROM changes) AND topic = 'embeddings' AND subject_id = new.model_id;
  INSERT INTO kv (key, value) VALUES ('embedding_revision', CAST(CAST(unixepoch('subsec') * 1000 AS INTEGER) AS TEXT))
    ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(kv.value AS INTEGER) + 1 AS TEXT);
END;
CREATE TRIGGER embeddings_changes_ad AFTER DELETE ON embedding_records WHEN old.status = 'committed' BEGIN
  INSERT INTO changes (topic, kind, subject_id) VALUES ('embeddings', 'updated', old.model_id);
  DELETE FROM changes WHERE sequence = (SELECT max(sequence) - 1 FROM changes) AND topic = 'embeddings' AND subject_id = old.model_id;
  INSERT INTO kv (key, value) VALUES ('embedding_revision', CAST(CAST(unixepoch('subsec') * 1000 AS INTEGER) AS TEXT))
    ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(kv.value AS INTEGER) + 1 AS TEXT);
END;

-- Which version of a model serves.
CREATE TRIGGER embedding_models_changes_ai AFTER INSERT ON embedding_models BEGIN
  INSERT INTO changes (topic, kind, subject_id) VALUES ('embeddings', 'inserted', new.model_id);
  INSERT INTO kv (key, value) VALUES ('embedding_revision', CAST(CAST(unixepoch('subsec') * 1000 AS INTEGER) AS TEXT))
    ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(kv.value AS INTEGER) + 1 AS TEXT);
END;
CREATE TRIGGER embedding_models_changes_au AFTER UPDATE ON embedding_models BEGIN
  INSERT INTO changes (topic, kind, subject_id) VALUES ('embeddings', 'updated', new.model_id);
  INSERT INTO kv (key, value) VALUES ('embedding_revision', CAST(CAST(unixepoch('subsec') * 1000 AS INTEGER) AS TEXT))
    ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(kv.value AS INTEGER) + 1 AS TEXT);
END;
CREATE TRIGGER embedding_models_changes_ad AFTER DELETE ON embedding_models BEGIN
  INSERT INTO changes (topic, kind, subject_id) VALUES ('embeddings', 'deleted', old.model_id);
  INSERT INTO kv (key, value) VALUES ('embedding_revision', CAST(CAST(unixepoch('subsec') * 1000 AS INTEGER) AS TEXT))
    ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(kv.value AS INTEGER) + 1 AS TEXT);
END;

-- Progress is told often: an update takes the place of one just before it of the same job.
CREATE TRIGGER jobs_changes_ai AFTER INSERT ON jobs BEGIN
  INSERT INTO changes (topic, kind, subject_id) VALUES ('jobs', 'inserted', new.job_id);
END;
CREATE TRIGGER jobs_changes_au AFTER UPDATE ON jobs BEGIN
  INSERT INTO changes (topic, kind, subject_id) VALUES ('jobs', 'updated', new.job_id);
  DELETE FROM changes
    WHERE sequence = (SELECT max(sequence) - 1 FROM changes) AND topic = 'jobs' AND kind = 'updated' AND subject_id = new.job_id;
END;
CREATE TRIGGER jobs_changes_ad AFTER DELETE ON jobs BEGIN
  INSERT INTO changes (topic, kind, subject_id) VALUES ('jobs', 'deleted', old.job_id);
END;

-- A turn touches its session, which is no change of its own. Turns go with their session: it alone is told.
CREATE TRIGGER chat_sessions_changes_ai AFTER INSERT ON chat_sessions BEGIN
  INSERT INTO changes (topic, kind, subject_id, session_id) VALUES ('chat', 'inserted', new.session_id, new.session_id);
END;
CREATE TRIGGER chat_sessions_changes_au AFTER UPDATE OF title, metadata ON chat_sessions BEGIN
  INSERT INTO changes (topic, kind, subject_id, session_id) VALUES ('chat', 'updated', new.session_id, new.session_id);
END;
CREATE TRIGGER chat_sessions_changes_ad AFTER DELETE ON chat_sessions BEGIN
  INSERT INTO changes (topic, kind, subject_id, session_id) VALUES ('chat', 'deleted', old.session_id, old.session_id);
END;
CREATE TRIGGER chat_turns_changes_ai AFTER INSERT ON chat_turns BEGIN
  INSERT INTO changes (topic, kind, subject_id, session_id, turn_index)
  VALUES ('chat', 'inserted', new.turn_id, new.session_id, new.turn_index);
END;
CREATE TRIGGER chat_turns_changes_au AFTER UPDATE ON chat_turns BEGIN
  INSERT INTO changes (topic, kind, subject_id, session_id, turn_index)
  VALUES ('chat', 'updated', new.turn_id, new.session_id, new.turn_index);
END;
CREATE TRIGGER chat_turns_changes_ad AFTER DELETE ON chat_turns
WHEN EXISTS (SELECT 1 FROM chat_sessions s WHERE s.session_id = old.session_id) BEGIN
  INSERT INTO changes (topic, kind, subject_id, session_id, turn_index)
  VALUES ('chat', 'deleted', old.turn_id, old.session_id, old.turn_index);
END;

CREATE TRIGGER answers_changes_ai AFTER INSERT ON answers BEGIN
  INSERT INTO changes (topic, kind, subject_id) VALUES ('answers', 'inserted', new.answer_id);
END;
CREATE TRIGGER answers_changes_au AFTER UPDATE ON answers BEGIN
  INSERT INTO changes (topic, kind, subject_id) VALUES ('answers', 'updated', new.answer_id);
END;
CREATE TRIGGER answers_changes_ad AFTER DELETE ON answers BEGIN
  INSERT INTO changes (topic, kind, subject_id) VALUES ('answers', 'deleted', old.answer_id);
END;

CREATE TRIGGER eval_runs_changes_ai AFTER INSERT ON eval_runs BEGIN
  INSERT INTO changes (topic, kind, subject_id) VALUES ('evaluations', 'inserted', new.eval_run_id);
END;
CREATE TRIGGER eval_runs_changes_au AFTER UPDATE ON eval_runs BEGIN
  INSERT INTO changes (topic, kind, subject_id) VALUES ('evaluations', 'updated', new.eval_run_id);
END;
CREATE TRIGGER eval_runs_changes_ad AFTER DELETE ON eval_runs BEGIN
  INSERT INTO changes (topic, kind, subject_id) VALUES ('evaluations', 'deleted', old.eval_run_id);
END;
