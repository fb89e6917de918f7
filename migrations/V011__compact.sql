-- Compact storage: rows that are there stay as they are, and say so by the defaults.

-- How the bytes of an asset are kept: as they are (`none`), or as a gzip member (`gzip`, RFC 1952).
ALTER TABLE assets ADD COLUMN codec TEXT NOT NULL DEFAULT 'none';

-- How a table keeps its vectors: as 32-bit floats (`f32`), or as the largest magnitude and 16-bit integers (`i16`).
ALTER TABLE vector_tables ADD COLUMN encoding TEXT NOT NULL DEFAULT 'f32' CHECK (encoding IN ('f32', 'i16'));
