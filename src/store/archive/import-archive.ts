import type { ArchiveImportReport, ArchiveOptions } from "../../contracts/archive.ts";
import type { SqlDatabase, SqlExecutor, SqlImage } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { migrate } from "../../sql/migrate.ts";
import { migrations } from "../../sql/migrations.generated.ts";
import { TurnTaker } from "../../turns.ts";
import type { HeldBytes } from "../documents/held-bytes.ts";
import { requireAssets } from "./archive-assets.ts";
import { archiveError, readingEntry, throwIfAborted } from "./archive-error.ts";
import { requireImportRoom } from "./archive-room.ts";
import { ArchiveProgressTeller } from "./archive-progress.ts";
import {
  type ArchiveTable,
  archiveTables,
  columnsOf,
  copyTable,
  emptyTables,
  requireTable,
  tablesWithContent,
} from "./archive-tables.ts";
import { isPlainTable } from "./archive-values.ts";
import { interruptJobs } from "../jobs/interrupt-jobs.ts";
import { type CarriedModel, carriedModels } from "./carried-vectors.ts";
import type { ArchiveParts } from "./export-archive.ts";
import { beginImport, endImport } from "./import-mark.ts";
import { DATABASE_ENTRY, type ArchiveManifest } from "./manifest.ts";
import { keepAverages, mergeCounters } from "./merge-counters.ts";
import { readArchive, type ReadArchive } from "./read-archive.ts";
import { undoImport } from "./undo-import.ts";
import { VectorCarrier } from "./vector-carrier.ts";

/**
 * Takes an archive into an empty store. The archive is read and verified whole first, its database into a file beside the store's;
 * then all rows are copied in one transaction. A vector engine that is apart gets its vectors after that, and their records are
 * committed last; what ends in between is undone, by this call or by the next opening.
 */
export async function importArchive(
  parts: ArchiveParts,
  bytes: AsyncIterable<Uint8Array>,
  { onProgress }: ArchiveOptions,
  signal: AbortSignal,
): Promise<ArchiveImportReport> {
  const { db, storage, external } = parts;
  const progress = new ArchiveProgressTeller(onProgress);
  const tables = await archiveTables(db);
  await requireEmpty(db, tables);
  const accept = async (stated: ArchiveManifest): Promise<void> => {
    requireKnownSchema(stated);
    await requireImportRoom(db, storage, stated, external);
  };
  const held: HeldBytes[] = [];
  try {
    const read = await readArchive(db, bytes, accept, progress, external, held);
    return await takeOver(parts, tables, read, held, progress, signal);
  } finally {
    // Those that no committed row names are deleted then.
    for (const one of held) await one.letGo();
  }
}

async function takeOver(
  parts: ArchiveParts,
  tables: readonly ArchiveTable[],
  { manifest, image, bytes: size }: ReadArchive,
  held: readonly HeldBytes[],
  progress: ArchiveProgressTeller,
  signal: AbortSignal,
): Promise<ArchiveImportReport> {
  try {
    throwIfAborted(signal, "import");
    const migrated = await readingEntry(DATABASE_ENTRY, () => migrateImage(image, manifest));
    await image.attach();
    const { documents, chunks } = manifest.counts;
    const carried = await copyImage(parts, tables, manifest, held, progress, signal);
    const { createdAt, packageVersion, schemaVersion, vectorEngine } = manifest;
    const from = { createdAt, packageVersion, schemaVersion, vectorEngine };
    return { documents, chunks, ...carried, bytes: size, elapsedMs: progress.elapsedMs, migrations: migrated, from };
  } finally {
    await image.close();
  }
}

function requireKnownSchema({ schemaVersion }: ArchiveManifest): void {
  const newest = migrations.length;
  if (schemaVersion <= newest) return;
  const message = `the archive's schema has version ${schemaVersion}; this release knows up to ${newest}: update Lodestore`;
  throw archiveError("SCHEMA_TOO_NEW", "import", message);
}

async function requireEmpty(db: SqlExecutor, tables: readonly ArchiveTable[]): Promise<void> {
  const held = await tablesWithContent(db, tables);
  if (held.length === 0) return;
  const message = `an archive is imported into an empty store, and this one holds ${held.join(", ")}: open another one for it`;
  throw archiveError("CONFLICT", "import", message);
}

/** Brings the archive's database to this release's schema. */
async function migrateImage(image: SqlImage, { schemaVersion }: ArchiveManifest): Promise<string[]> {
  const copy = await image.open();
  try {
    if (schemaVersion < 1 || !(await isPlainTable(copy, "main", "schema_migrations"))) {
      throw archiveError("BAD_FORMAT", "import", `${DATABASE_ENTRY} in the archive is no database of Lodestore`);
    }
    return (await migrate(copy).catch(ofArchive)).applied;
  } finally {
    await copy.close();
  }
}

/** What a database of another release is refused with is about the archive here, and not about the store. */
function ofArchive(error: unknown): never {
  if (!(error instanceof StorageError) || error.capability !== "migrations") throw error;
  throw archiveError(error.code, "import", `${DATABASE_ENTRY} in the archive: ${error.message}`, error);
}

async function copyImage(
  { db, side, held }: ArchiveParts,
  tables: readonly ArchiveTable[],
  { counts }: ArchiveManifest,
  bytes: readonly HeldBytes[],
  progress: ArchiveProgressTeller,
  signal: AbortSignal,
): Promise<{ embeddings: number; missing: number }> {
  const turns = new TurnTaker();
  for (const { name, columns } of tables) await requireTable(db, name, columns);
  for (const name of ["kv", "embedding_records"]) {
    await requireTable(
      db,
      name,
      (await columnsOf(db, "main", name)).map((column) => column.name),
    );
  }
  await readingEntry(DATABASE_ENTRY, () => requireAssets(db, bytes));
  const models = await readingEntry(DATABASE_ENTRY, () => carriedModels(db));
  const total = await rowsOf(db, tables, counts.embeddings);
  let done = 0;
  const onRows = async (rows: number): Promise<void> => {
    done += rows;
    throwIfAborted(signal, "import");
    progress.at("write", Math.min(done, total - 1), total);
    await turns.breathe();
  };
  // Told before the last commit: whoever throws then ends an import that can still be undone.
  const onEnd = (): void => {
    progress.at("write", total, total);
    throwIfAborted(signal, "import");
  };
  const carrier = side === undefined ? undefined : new VectorCarrier(db, side, onRows);
  await carrier?.prepare(models);
  const apart = carrier !== undefined && !(await carrier.isTransactional());
  const copyRows = (): Promise<void> =>
    readingEntry(DATABASE_ENTRY, () =>
      db.transaction(async (tx) => {
        await requireEmpty(tx, tables);
        await emptyTables(tx, tables);
        for (const table of tables) await copyTable(tx, table, onRows);
        await interruptJobs(tx, "it ran in the store that the archive is of");
        await keepAverages(tx);
        await mergeCounters(tx);
        await carrier?.copyRecords(tx);
        if (apart) return beginImport(tx);
        await carrier?.carry(tx);
        onEnd();
      }),
    );
  if (!apart) await copyRows();
  else {
    // From before the rows are committed: what is written until then makes the store one that is not empty, and a sweep would take the
    // records whose vectors are not in yet for left behind.
    await held.during(() =>
      carrier.exclusively(async () => {
        await copyRows();
        await carryApart(db, carrier, models, onEnd);
      }),
    );
  }
  const embeddings = carrier?.carried ?? 0;
  return { embeddings, missing: Math.max(0, counts.embeddings - embeddings) };
}

async function carryApart(
  db: SqlDatabase,
  carrier: VectorCarrier,
  models: readonly CarriedModel[],
  onEnd: () => void,
): Promise<void> {
  try {
    await readingEntry(DATABASE_ENTRY, () => carrier.carryApart());
    onEnd();
    await endImport(db);
  } catch (error) {
    await undoImport(db, carrier.vectors, models, carrier.made);
    carrier.forgetTables();
    throw error;
  }
}

async function rowsOf(db: SqlExecutor, tables: readonly ArchiveTable[], embeddings: number): Promise<number> {
  let rows = 2 * embeddings + 1;
  for (const { name } of tables) {
    const row = await db.get<{ n: number }>(`SELECT count(*) AS n FROM image."${name}"`);
    rows += row?.n ?? 0;
  }
  return rows;
}
