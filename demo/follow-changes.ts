import type { ChangeTopic, Store } from "lodestore";

/** How long it is quiet after a look: an ingest commits many times a second, and the page need not ask as often. */
const PAUSE_MS = 250;

interface FollowOptions {
  store: Store;
  topics: readonly ChangeTopic[];
  /** Ends following. */
  signal: AbortSignal;
  /** Looks at the store: once at the start, and after changes, by whomever. */
  look: () => Promise<void>;
  /** Told what kept it from looking or from following. */
  onError: (error: unknown) => void;
}

/** Looks at the store whenever it has changed. What changes during a look makes one more. */
export async function followChanges({ store, topics, signal, look, onError }: FollowOptions): Promise<void> {
  let isBehind = false;
  let isLooking = false;

  async function catchUp(): Promise<void> {
    isBehind = true;
    if (isLooking) return;
    isLooking = true;
    try {
      while (isBehind && !signal.aborted) {
        isBehind = false;
        await look();
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    } catch (error) {
      onError(error);
    } finally {
      isLooking = false;
    }
  }

  try {
    // First the place in the feed, then what there is: nothing falls in between.
    const changes = store.subscribe({ topics, signal });
    void catchUp();
    for await (const _ of changes) void catchUp();
  } catch (error) {
    if (!signal.aborted) onError(error);
  }
}
