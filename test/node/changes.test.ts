import { expect, test } from "vitest";
import { openStore } from "../../src/node.ts";
import { take } from "../conformance/change-feed/take.ts";
import { openNodeStore, storeFolder } from "../support/open-node-store.ts";

test("a store that is only read hears of what the one that writes commits, and both end their subscribers", async () => {
  const dir = storeFolder();
  const writing = await openNodeStore({ dir, readers: 1 });
  const reading = await openStore({ dir, readOnly: true, vectors: "hnsw", readers: 1 });
  const [there, here] = [reading.subscribe(), writing.subscribe()];
  expect(await reading.changeSequence()).toBe(0);
  const waiting = [take(there, 2), take(here, 2)];
  const { id } = await writing.chat.createSession();
  const turn = await writing.chat.appendTurn(id, { role: "user", text: "hello" });
  for (const changes of await Promise.all(waiting)) {
    expect(changes).toMatchObject([
      { kind: "inserted", id },
      { kind: "inserted", id: turn.id, sessionId: id, turnIndex: 0 },
    ]);
  }
  const pending = [there.next(), here.next()];
  await Promise.all([reading.close(), writing.close()]);
  expect(await Promise.all(pending)).toMatchObject([{ done: true }, { done: true }]);
});
