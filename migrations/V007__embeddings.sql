-- Embeddings: which version of a model serves, and the vectors that the database keeps itself.

-- One row a model and its dimensions. The swap to a new generation is one update of this row.
CREATE TABLE embedding_models (
  model_id          TEXT NOT NULL,
  dimensions        INTEGER NOT NULL CHECK (dimensions BETWEEN 1 AND 4096),
  serving_version   TEXT,
  building_version  TEXT,
  created_at        INTEGER NOT NULL,
  updated_at        INTEGER NOT NULL,
  PRIMARY KEY (model_id, dimensions),
  CHECK (building_version IS NULL OR serving_version IS NULL OR building_version <> serving_version)
) WITHOUT ROWID;

-- The tables of vectors in this database; each is named chunk_embeddings_<model>_<dimensions>.
CREATE TABLE vector_tables (
  table_key   INTEGER PRIMARY KEY,
  index_id    TEXT NOT NULL UNIQUE,
  table_name  TEXT NOT NULL UNIQUE,
  model_id    TEXT NOT NULL,
  dimensions  INTEGER NOT NULL CHECK (dimensions BETWEEN 1 AND 4096),
  metric      TEXT NOT NULL CHECK (metric IN ('cosine', 'dot', 'l2')),
  created_at  INTEGER NOT NULL,
  UNIQUE (model_id, dimensions)
);

-- The vectors of one model version: one index. Changes up to log_start are no longer in vector_changes.
CREATE TABLE vector_generations (
  generation_key  INTEGER PRIMARY KEY AUTOINCREMENT,
  table_key       INTEGER NOT NULL REFERENCES vector_tables (table_key) ON DELETE CASCADE,
  model_version   TEXT NOT NULL,
  log_start       INTEGER NOT NULL DEFAULT 0,
  created_at      INTEGER NOT NULL,
  UNIQUE (table_key, model_version)
);

-- The chunks whose vector or its visibility changed, in order: an index that stands for one change looks at those that are newer.
-- Triggers of the tables keep it.
CREATE TABLE vector_changes (
  change          INTEGER PRIMARY KEY AUTOINCREMENT,
  generation_key  INTEGER NOT NULL,
  chunk_key       INTEGER NOT NULL
);
CREATE INDEX idx_vector_changes_generation ON vector_changes (generation_key, change);
