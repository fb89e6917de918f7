/** A Web Lock that is held as long as its holder lives. */
export interface LifeLock {
  name: string;
  release(): void;
}

function lockManager(): LockManager | undefined {
  return (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks;
}

/** Takes a lock that ends with this worker, tab or thread, however it ends.
 *  @returns `undefined` where there are no Web Locks (insecure contexts, sandboxed frames, Node before 24). */
export function holdLifeLock(): Promise<LifeLock | undefined> {
  const locks = lockManager();
  if (locks === undefined) return Promise.resolve(undefined);
  const name = `lodestore-rpc-${crypto.randomUUID()}`;
  return new Promise((resolve) => {
    locks
      .request(name, () => new Promise<void>((release) => resolve({ name, release })))
      .catch(() => resolve(undefined));
  });
}

/** Calls `onGone` when the holder of the lock has let go or is gone.
 *  @returns a function that ends the watch. */
export function watchLifeLock(name: string | undefined, onGone: () => void): () => void {
  const locks = lockManager();
  if (locks === undefined || name === undefined) return () => {};
  const watch = new AbortController();
  const { signal } = watch;
  locks
    .request(name, { mode: "shared", signal }, () => {
      // Messages that were posted before the end may still be queued: they come first.
      setTimeout(() => {
        if (!signal.aborted) onGone();
      }, 0);
    })
    .catch(() => {});
  return () => watch.abort();
}
