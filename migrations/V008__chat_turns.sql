-- Chat as it is used: sessions in the order of their activity, turns with model and metadata, and a text index over turns.

-- Counts up over all sessions with every turn: an order that no clock decides.
ALTER TABLE chat_sessions ADD COLUMN activity INTEGER NOT NULL DEFAULT 0;
UPDATE chat_sessions SET activity =
  (SELECT count(*) FROM chat_sessions other
   WHERE (other.updated_at, other.session_id) <= (chat_sessions.updated_at, chat_sessions.session_id));
DROP INDEX idx_chat_sessions_updated;
CREATE UNIQUE INDEX idx_chat_sessions_activity ON chat_sessions (activity);

DROP INDEX idx_chat_turns_session;
ALTER TABLE chat_turns RENAME TO chat_turns_before;

-- turn_key is the rowid of the text index: explicit, so that VACUUM never moves it.
CREATE TABLE chat_turns (
  turn_key    INTEGER PRIMARY KEY,
  turn_id     TEXT NOT NULL UNIQUE,
  session_id  TEXT NOT NULL REFERENCES chat_sessions (session_id) ON DELETE CASCADE,
  turn_index  INTEGER NOT NULL CHECK (turn_index >= 0),
  role        TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant', 'tool')),
  content     TEXT NOT NULL,
  citations   TEXT NOT NULL DEFAULT '[]',
  model       TEXT,
  metadata    TEXT NOT NULL DEFAULT '{}',
  created_at  INTEGER NOT NULL
);
CREATE UNIQUE INDEX idx_chat_turns_session ON chat_turns (session_id, turn_index);

-- Keeps no copy of the text, as chunks_fts does not: `forms` holds the stems of inflected words.
CREATE VIRTUAL TABLE chat_turns_fts USING fts5 (
  text,
  forms,
  content = '',
  contentless_delete = 1,
  tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co M*'"
);

CREATE TRIGGER chat_turns_ai AFTER INSERT ON chat_turns BEGIN
  INSERT INTO chat_turns_fts (rowid, text, forms)
  VALUES (new.turn_key, lodestore_terms(new.content), lodestore_forms('', new.content));
END;

CREATE TRIGGER chat_turns_ad AFTER DELETE ON chat_turns BEGIN
  DELETE FROM chat_turns_fts WHERE rowid = old.turn_key;
END;

CREATE TRIGGER chat_turns_au AFTER UPDATE OF turn_key, content ON chat_turns BEGIN
  DELETE FROM chat_turns_fts WHERE rowid = old.turn_key;
  INSERT INTO chat_turns_fts (rowid, text, forms)
  VALUES (new.turn_key, lodestore_terms(new.content), lodestore_forms('', new.content));
END;

INSERT INTO chat_turns (turn_id, session_id, turn_index, role, content, citations, created_at)
  SELECT turn_id, session_id, turn_index, role, content, citations, created_at
  FROM chat_turns_before ORDER BY created_at, session_id, turn_index;
DROP TABLE chat_turns_before;
