import type { GenerationRows } from "./generation-rows.ts";
import type { StoredSnapshot } from "./snapshot-store.ts";

const DAY_MS = 86_400_000;

/** Says why a snapshot belongs to a later or another state of the database than its generation's rows, if it does. */
export async function foreignSnapshot(
  rows: GenerationRows,
  { revision, createdAt }: StoredSnapshot,
): Promise<string | undefined> {
  if (revision > (await rows.newestChange())) return "the snapshot is newer than the database";
  const since = (await rows.createdAt()) ?? 0;
  if (createdAt > Math.max(Date.now(), since) + DAY_MS) return "the snapshot is of a time to come";
  return createdAt < since ? "the snapshot is older than what it stands for" : undefined;
}
