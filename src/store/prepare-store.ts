import { requireEmbedder } from "../contracts/check-embedder.ts";
import type { SqlDatabase } from "../contracts/sql.ts";
import type { OpenReport, VectorEngineReport } from "../contracts/store.ts";
import { StorageError } from "../errors.ts";
import { migrate, requireMigrated } from "../sql/migrate.ts";
import { migrations } from "../sql/migrations.generated.ts";
import { undoUnfinishedImport } from "./archive/undo-import.ts";
import { ensureTurnIndex, requireTurnIndex } from "./chat/turn-index.ts";
import { adoptVectors } from "./embeddings/adopt-vectors.ts";
import { bumpEmbeddingRevision } from "./embeddings/embedding-revision.ts";
import { markInterrupted } from "./evaluation/interrupted-runs.ts";
import { openJobs } from "./jobs/interrupt-jobs.ts";
import type { OpeningStep } from "./opening.ts";
import { ensureTextIndex, requireTextIndex } from "./search/text-index.ts";
import type { StoreParts } from "./store-parts.ts";
import { onceMoreOnFull, unlessFull } from "./upkeep/on-full.ts";

const OPEN = { capability: "store", operation: "open" } as const;

/** What was done to bring a store up to date. */
export type PreparedStore = Omit<OpenReport, "indexes" | "elapsedMs">;

/** Brings the schema up to date, and what is derived from rows in step with them.
 *  @throws StorageError UNSUPPORTED (no FTS5; `readOnly`, and it is not up to date), SCHEMA_TOO_NEW, MIGRATION_CHANGED, MIGRATION_MISSING, MIGRATION_FAILED, BAD_FORMAT, CORRUPT, ABORTED */
export async function prepareStore(parts: StoreParts, step: OpeningStep): Promise<PreparedStore> {
  await requireFullText(parts.db);
  const rows = parts.readOnly === true ? await requirePreparedRows(parts.db) : await prepareRows(parts, step);
  if (parts.embedder !== undefined) requireEmbedder(OPEN, "embedder", parts.embedder);
  return { ...rows, vectors: await openVectors(parts, step) };
}

async function requireFullText(db: SqlDatabase): Promise<void> {
  const { fullText, engine } = await db.capabilities();
  if (fullText) return;
  throw new StorageError(
    "UNSUPPORTED",
    `${engine} has no full-text search (FTS5); on Node, 22.16 is the first version with it`,
    OPEN,
  );
}

type PreparedRows = Omit<PreparedStore, "vectors">;

async function prepareRows({ db, vectors }: StoreParts, step: OpeningStep): Promise<PreparedRows> {
  const { applied, version } = await migrate(db, migrations, step);
  const created = applied.length === version;
  await unlessFull(
    () => onceMoreOnFull(() => markInterrupted(db, new Set())),
    async () => {},
  );
  const undone = created ? [] : await undoUnfinishedImport(db, vectors);
  await step();
  const rebuilt = [...(await ensureTextIndex(db, created, step)), ...(await ensureTurnIndex(db, applied))];
  const interruptedJobs = created ? [] : await openJobs(db);
  return { created, migrations: applied, rebuilt: [...undone, ...rebuilt], interruptedJobs };
}

async function requirePreparedRows(db: SqlDatabase): Promise<PreparedRows> {
  await requireMigrated(db);
  await requireTextIndex(db);
  await requireTurnIndex(db);
  return { created: false, migrations: [], rebuilt: [], interruptedJobs: [] };
}

/** Brings vectors that another engine kept into the one of now. */
async function openVectors(parts: StoreParts, step: OpeningStep): Promise<VectorEngineReport | null> {
  const { db, vectors, vectorsBefore, vectorsFallback = null } = parts;
  if (vectors === undefined) return null;
  const { driver, transactional } = await vectors.capabilities();
  const moved = parts.readOnly === true ? null : await adoptVectors(db, vectors, vectorsBefore, step);
  // A process that ended while it wrote may have replaced vectors without having told it.
  if (!transactional && parts.readOnly !== true) await bumpEmbeddingRevision(db);
  return { driver, fallback: vectorsFallback, moved };
}
