import type { IngestFile, IngestSource } from "../../contracts/store.ts";
import { untilAborted } from "../../contracts/until-aborted.ts";
import { ingestAborted } from "./ingest-aborted.ts";

/** One file, or each of many. Once the signal is aborted the source is told to end, and not waited for: it may hang.
 *  @throws StorageError ABORTED, CLOSED; what the source throws */
export async function* filesOf(source: IngestSource, signal: AbortSignal | undefined): AsyncGenerator<IngestFile> {
  const iterator = iteratorOf(source);
  if (iterator === undefined) {
    yield source as IngestFile;
    return;
  }
  /** Whether the source waits to be asked on: one that is over, or has thrown, has ended itself. */
  let isOpen = true;
  try {
    while (isOpen) {
      isOpen = false;
      const next = await untilAborted(Promise.resolve(iterator.next()), signal, ingestAborted);
      isOpen = next.done !== true;
      if (next.done !== true) yield next.value;
    }
  } finally {
    const end = async (): Promise<unknown> => iterator.return?.();
    // The end of a source that hangs is never heard of, nor is how it fails.
    if (signal?.aborted === true) end().catch(() => {});
    else if (isOpen) await end();
  }
}

function iteratorOf(source: IngestSource): Iterator<IngestFile> | AsyncIterator<IngestFile> | undefined {
  if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
  return Symbol.iterator in source ? source[Symbol.iterator]() : undefined;
}
