/** The text of `src/sql/migrations.generated.ts`, from the files of a folder; `migrations/` by default. */
export function generateMigrations(folder?: URL): string;
