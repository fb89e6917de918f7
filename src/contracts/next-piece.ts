import { StorageError } from "../errors.ts";
import { untilAborted } from "./until-aborted.ts";
import { type CallSite, describe, refusal } from "./validate.ts";

/** What a stream of the caller is read for. */
export interface StreamReading {
  readonly site: CallSite;
  /** What messages call the stream. */
  readonly name: string;
  readonly signal: AbortSignal | undefined;
  /** Returns what the reading ends with once the signal is aborted. */
  readonly aborted: (signal: AbortSignal) => Error;
}

/** Reads what a stream of the caller hands out next. One that hangs is not waited for once the signal is aborted.
 *  @returns `undefined` at its end.
 *  @throws StorageError what `aborted` returns, INVALID_INPUT (no bytes), DRIVER (with what the stream threw as its cause) */
export async function nextPiece(
  pieces: AsyncIterator<unknown>,
  reading: StreamReading,
): Promise<Uint8Array | undefined> {
  const next = await untilAborted(asked(pieces, reading), reading.signal, reading.aborted);
  if (next.done === true) return undefined;
  if (next.value instanceof Uint8Array) return next.value;
  throw refusal(reading.site, `${reading.name} handed out ${describe(next.value)}; it takes Uint8Array`);
}

async function asked(pieces: AsyncIterator<unknown>, { site, name }: StreamReading): Promise<IteratorResult<unknown>> {
  try {
    return await pieces.next();
  } catch (error) {
    if (error instanceof StorageError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StorageError("DRIVER", `${name} cannot be read: ${reason}`, { ...site, cause: error });
  }
}
