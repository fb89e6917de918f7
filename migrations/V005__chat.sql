CREATE TABLE chat_sessions (
  session_id  TEXT PRIMARY KEY,
  title       TEXT,
  metadata    TEXT NOT NULL DEFAULT '{}',
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX idx_chat_sessions_updated ON chat_sessions (updated_at);

CREATE TABLE chat_turns (
  turn_id     TEXT PRIMARY KEY,
  session_id  TEXT NOT NULL REFERENCES chat_sessions (session_id) ON DELETE CASCADE,
  turn_index  INTEGER NOT NULL CHECK (turn_index >= 0),
  role        TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant', 'tool')),
  content     TEXT NOT NULL,
  citations   TEXT NOT NULL DEFAULT '[]',
  created_at  INTEGER NOT NULL,
  UNIQUE (session_id, turn_index)
) WITHOUT ROWID;
CREATE INDEX idx_chat_turns_session ON chat_turns (session_id, turn_index);
