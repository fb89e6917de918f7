CREATE TABLE kv (
  key    TEXT PRIMARY KEY,
  value  TEXT NOT NULL
) WITHOUT ROWID;

-- Raised by every change of searchable content, in the transaction that makes it.
INSERT INTO kv (key, value) VALUES ('corpus_revision', '0');
