import type { Change } from "../../../src/contracts/changes.ts";
import type { Store } from "../../../src/contracts/store.ts";

/** Takes so many changes of a subscription, which stays open. */
export async function take(changes: AsyncIterator<Change>, count: number): Promise<Change[]> {
  const taken: Change[] = [];
  while (taken.length < count) {
    const next = await changes.next();
    if (next.done === true) throw new Error(`it ended after ${taken.length} changes`);
    taken.push(next.value);
  }
  return taken;
}

/** Takes everything that is in the log now, after a change. */
export async function takeAll(store: Store, since = 0): Promise<Change[]> {
  const newest = await store.changeSequence();
  const taken: Change[] = [];
  if (newest <= since) return taken;
  for await (const change of store.subscribe({ since })) {
    taken.push(change);
    if (change.sequence >= newest) break;
  }
  return taken;
}
