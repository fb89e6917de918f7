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

function revisionOf(row: { value: string } | undefined, operation: string): number {
  const revision = Number(row?.value ?? Number.NaN);
  if (Number.isSafeInteger(revision)) return revision;
  throw new StorageError("CORRUPT", "kv holds no whole number as corpus_revision", {
    capability: "documents",
    operation,
  });
}
