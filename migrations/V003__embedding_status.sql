-- The SQL side of the two-phase write: only committed embeddings are visible; a tombstone waits for its vector to go.

ALTER TABLE embedding_records ADD COLUMN status TEXT NOT NULL DEFAULT 'pending'
  CHECK (status IN ('pending', 'committed', 'tombstone'));

CREATE INDEX idx_embed_status ON embedding_records (status, model_id, model_version, dimensions);

CREATE TRIGGER chunks_tombstone AFTER DELETE ON chunks BEGIN
  UPDATE embedding_records SET status = 'tombstone', updated_at = CAST(unixepoch('subsec') * 1000 AS INTEGER)
  WHERE chunk_id = old.chunk_id AND status <> 'tombstone';
END;
