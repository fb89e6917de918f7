-- Named byte objects inside the database: written, undone and copied with everything else.
CREATE TABLE blobs (
  blob_key     TEXT NOT NULL UNIQUE,
  byte_length  INTEGER NOT NULL,
  bytes        BLOB NOT NULL
);
