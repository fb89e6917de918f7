/** One migration as it is bundled: the file `migrations/V00N__name.sql`. */
export interface Migration {
  /** N: 1 for the first, without gaps. */
  version: number;
  /** The file's name without `.sql`: `V001__init`. */
  name: string;
  /** SHA-256 of the file's bytes, 64 lower-case hexadecimal digits. */
  sha256: string;
  sql: string;
}

/** A migration as the database remembers it. */
export interface AppliedMigration {
  version: number;
  name: string;
  sha256: string;
}
