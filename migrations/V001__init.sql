-- The tables of the store. Times are milliseconds since 1970; lists and objects are JSON text.

CREATE TABLE assets (
  asset_key     INTEGER PRIMARY KEY,
  asset_id      TEXT NOT NULL UNIQUE,
  content_hash  TEXT NOT NULL UNIQUE,
  byte_length   INTEGER NOT NULL CHECK (byte_length >= 0),
  media_type    TEXT NOT NULL,
  blob_key      TEXT,
  created_at    INTEGER NOT NULL
);

-- One row per workspace path; several documents may share one asset.
CREATE TABLE documents (
  document_key    INTEGER PRIMARY KEY,
  document_id     TEXT NOT NULL UNIQUE,
  asset_id        TEXT NOT NULL REFERENCES assets (asset_id),
  workspace_path  TEXT NOT NULL UNIQUE,
  parser_version  TEXT NOT NULL,
  title           TEXT NOT NULL,
  lang            TEXT,
  media_type      TEXT NOT NULL,
  source_type     TEXT NOT NULL,
  trust           REAL NOT NULL CHECK (trust BETWEEN 0 AND 1),
  metadata        TEXT NOT NULL,
  ingested_at     INTEGER NOT NULL
);
CREATE INDEX idx_documents_asset ON documents (asset_id);

CREATE TABLE document_tags (
  document_key  INTEGER NOT NULL REFERENCES documents (document_key) ON DELETE CASCADE,
  tag           TEXT NOT NULL,
  PRIMARY KEY (document_key, tag)
) WITHOUT ROWID;
CREATE INDEX idx_document_tags_tag ON document_tags (tag, document_key);

-- A block's text stands in its asset, at its lines.
CREATE TABLE blocks (
  document_key  INTEGER NOT NULL REFERENCES documents (document_key) ON DELETE CASCADE,
  ordinal       INTEGER NOT NULL,
  block_id      TEXT NOT NULL,
  kind          TEXT NOT NULL,
  heading_path  TEXT NOT NULL,
  line_start    INTEGER NOT NULL,
  line_end      INTEGER NOT NULL,
  PRIMARY KEY (document_key, ordinal)
) WITHOUT ROWID;

-- chunk_key is the rowid of the text index: explicit, so that VACUUM never moves it.
CREATE TABLE chunks (
  chunk_key        INTEGER PRIMARY KEY,
  chunk_id         TEXT NOT NULL UNIQUE,
  document_key     INTEGER NOT NULL REFERENCES documents (document_key) ON DELETE CASCADE,
  ordinal          INTEGER NOT NULL,
  block_ids        TEXT NOT NULL,
  heading_path     TEXT NOT NULL,
  heading_text     TEXT NOT NULL,
  text             TEXT NOT NULL,
  line_start       INTEGER NOT NULL,
  line_end         INTEGER NOT NULL,
  token_count      INTEGER NOT NULL,
  chunker_version  TEXT NOT NULL,
  policy_hash      TEXT NOT NULL
);
CREATE UNIQUE INDEX idx_chunks_document ON chunks (document_key, ordinal);

-- No foreign key to chunks: the record of a chunk that went must stay until its vector is gone.
CREATE TABLE embedding_records (
  embedding_id   TEXT PRIMARY KEY,
  chunk_id       TEXT NOT NULL,
  document_id    TEXT NOT NULL,
  model_id       TEXT NOT NULL,
  model_version  TEXT NOT NULL,
  dimensions     INTEGER NOT NULL CHECK (dimensions BETWEEN 1 AND 4096),
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  UNIQUE (chunk_id, model_id, model_version, dimensions)
) WITHOUT ROWID;

CREATE TABLE jobs (
  job_id       TEXT PRIMARY KEY,
  kind         TEXT NOT NULL,
  status       TEXT NOT NULL,
  payload      TEXT NOT NULL,
  progress     TEXT,
  error        TEXT,
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL,
  finished_at  INTEGER
) WITHOUT ROWID;
CREATE INDEX idx_jobs_status ON jobs (status, created_at);

CREATE TABLE ingest_runs (
  run_id        TEXT PRIMARY KEY,
  status        TEXT NOT NULL CHECK (status IN ('running', 'completed', 'cancelled', 'failed')),
  options       TEXT NOT NULL,
  added         INTEGER NOT NULL DEFAULT 0,
  updated       INTEGER NOT NULL DEFAULT 0,
  skipped       INTEGER NOT NULL DEFAULT 0,
  removed       INTEGER NOT NULL DEFAULT 0,
  failures      TEXT NOT NULL DEFAULT '[]',
  bytes         INTEGER NOT NULL DEFAULT 0,
  chunks        INTEGER NOT NULL DEFAULT 0,
  error         TEXT,
  started_at    INTEGER NOT NULL,
  finished_at   INTEGER
) WITHOUT ROWID;
CREATE INDEX idx_ingest_runs_started ON ingest_runs (started_at);

CREATE TABLE answers (
  answer_id        TEXT PRIMARY KEY,
  query            TEXT NOT NULL,
  mode             TEXT NOT NULL,
  answer           TEXT NOT NULL,
  citations        TEXT NOT NULL,
  model            TEXT,
  corpus_revision  INTEGER NOT NULL,
  created_at       INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX idx_answers_created ON answers (created_at);

CREATE TABLE eval_runs (
  eval_run_id      TEXT PRIMARY KEY,
  suite            TEXT NOT NULL,
  config           TEXT NOT NULL,
  metrics          TEXT,
  corpus_revision  INTEGER NOT NULL,
  started_at       INTEGER NOT NULL,
  finished_at      INTEGER
) WITHOUT ROWID;

CREATE TABLE eval_query_results (
  eval_run_id  TEXT NOT NULL REFERENCES eval_runs (eval_run_id) ON DELETE CASCADE,
  query_id     TEXT NOT NULL,
  query        TEXT NOT NULL,
  hits         TEXT NOT NULL,
  metrics      TEXT NOT NULL,
  elapsed_ms   REAL NOT NULL,
  PRIMARY KEY (eval_run_id, query_id)
) WITHOUT ROWID;
