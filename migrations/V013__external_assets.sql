-- Where the bytes of an asset with a blob key are: NULL in the table `blobs`, `external` in the blob store beside the database.
ALTER TABLE assets ADD COLUMN blob_store TEXT CHECK (blob_store = 'external');
