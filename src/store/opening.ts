import { StorageError } from "../errors.ts";
import { nextTurn } from "../turns.ts";

/** Comes between two steps of opening a store: gives a turn away, in which it may be heard that opening is given up.
 *  @throws StorageError ABORTED */
export type OpeningStep = () => Promise<void>;

/** Goes on without a turn: nobody can give it up. */
export async function goOn(): Promise<void> {}

/** Returns what comes between the steps of an opening that the signal gives up. */
export function openingStep(signal: AbortSignal | undefined): OpeningStep {
  if (signal === undefined) return goOn;
  return async () => {
    await nextTurn();
    if (!signal.aborted) return;
    const cause: unknown = signal.reason;
    throw new StorageError("ABORTED", "opening the store was given up; the next opening does what is left", {
      capability: "store",
      operation: "open",
      cause,
    });
  };
}
