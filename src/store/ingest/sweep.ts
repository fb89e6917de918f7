import { StorageError } from "../../errors.ts";
import type { SqlDocumentStore } from "../documents/sql-document-store.ts";

/** Deletes the documents under `prefix` whose paths are not in `seen`.
 *  @returns how many went. */
export async function sweep(
  documents: SqlDocumentStore,
  prefix: string,
  seen: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<number> {
  let removed = 0;
  for (const path of await documents.allWorkspacePaths()) {
    if (!path.startsWith(prefix) || seen.has(path)) continue;
    if (signal?.aborted === true) {
      throw new StorageError("ABORTED", "the ingest was cancelled while it removed vanished documents", {
        capability: "ingest",
        operation: "sweep",
        cause: signal.reason,
      });
    }
    const document = await documents.getDocumentByWorkspacePath(path);
    if (document !== undefined && (await documents.deleteDocument(document.id))) removed++;
  }
  return removed;
}
