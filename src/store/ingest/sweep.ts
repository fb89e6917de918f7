import { StorageError } from "../../errors.ts";
import type { SqlDocumentStore } from "../documents/sql-document-store.ts";

interface SweepOptions {
  signal: AbortSignal | undefined;
  /** Called for every document that went: a sweep that ends early has removed those. */
  onRemoved: () => void;
}

/** Deletes the documents under `prefix` whose paths are not in `seen`.
 *  @throws StorageError ABORTED */
export async function sweep(
  documents: SqlDocumentStore,
  prefix: string,
  seen: ReadonlySet<string>,
  { signal, onRemoved }: SweepOptions,
): Promise<void> {
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
    if (document !== undefined && (await documents.deleteDocument(document.id))) onRemoved();
  }
}
