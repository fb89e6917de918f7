import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";

/** Reads the counter that every change of searchable content raises. */
export async function readCorpusRevision(db: SqlExecutor): Promise<number> {
  return revisionOf(
    await db.get<{ value: string }>("SELECT value FROM kv WHERE key = 'corpus_revision'"),
    "corpusRevision",
  );
}

/** Raises the counter by one, inside the transaction of the change it stands for. */
export async function bumpCorpusRevision(tx: SqlExecutor): Promise<number> {
  const [row] = await tx.all<{ value: string }>(
    "UPDATE kv SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'corpus_revision' RETURNING value",
  );
  return revisionOf(row, "bumpCorpusRevision");
}

/** Puts a counter in the place of one that is lost or no number: greater than every revision that something stored was made at, and
 *  than any that somebody may remember, for commits are counted one by one and the milliseconds since 1970 are far ahead of them. */
export async function renewCorpusRevision(tx: SqlExecutor): Promise<number> {
  const row = await tx.get<{ known: number }>(
    `SELECT max(coalesce((SELECT max(corpus_revision) FROM answers), 0),
       coalesce((SELECT max(corpus_revision) FROM eval_runs), 0)) AS known`,
  );
  const revision = Math.max(row?.known ?? 0, Date.now()) + 1;
  await tx.run(
    "INSERT INTO kv (key, value) VALUES ('corpus_revision', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    [String(revision)],
  );
  return revision;
}

function revisionOf(row: { value: string } | undefined, operation: string): number {
  const revision = Number(row?.value ?? Number.NaN);
  if (Number.isSafeInteger(revision)) return revision;
  throw new StorageError("CORRUPT", "kv holds no whole number as corpus_revision", {
    capability: "documents",
    operation,
  });
}
