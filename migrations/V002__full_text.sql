-- The text index. It keeps no copy of the text: the words of a chunk come from lodestore_terms(text), which the
-- SQL driver provides and which cuts scripts without spaces into overlapping pairs, so that unicode61 can index
-- them. `forms` holds the stems of inflected words. The M* categories keep vowel signs inside their words.

CREATE VIRTUAL TABLE chunks_fts USING fts5 (
  heading,
  text,
  forms,
  content = '',
  contentless_delete = 1,
  tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co M*'"
);

CREATE TRIGGER chunks_ai AFTER INSERT ON chunks BEGIN
  INSERT INTO chunks_fts (rowid, heading, text, forms)
  VALUES (new.chunk_key, lodestore_terms(new.heading_text), lodestore_terms(new.text),
          lodestore_forms(new.heading_text, new.text));
END;

CREATE TRIGGER chunks_ad AFTER DELETE ON chunks BEGIN
  DELETE FROM chunks_fts WHERE rowid = old.chunk_key;
END;

CREATE TRIGGER chunks_au AFTER UPDATE OF chunk_key, heading_text, text ON chunks BEGIN
  DELETE FROM chunks_fts WHERE rowid = old.chunk_key;
  INSERT INTO chunks_fts (rowid, heading, text, forms)
  VALUES (new.chunk_key, lodestore_terms(new.heading_text), lodestore_terms(new.text),
          lodestore_forms(new.heading_text, new.text));
END;
