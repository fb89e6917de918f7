import { expect, test } from "vitest";
import type { Change } from "../../../src/contracts/changes.ts";
import type { Store } from "../../../src/contracts/store.ts";
import { take, takeAll } from "./take.ts";

/** How changes come to those who ask for them. */
export function subscriptionCases(store: () => Store): void {
  const sessions = async (count: number): Promise<string[]> => {
    const ids: string[] = [];
    while (ids.length < count) ids.push((await store().chat.createSession()).id);
    return ids;
  };
  const idsOf = (changes: readonly Change[]): (string | null)[] => changes.map(({ id }) => id);

  test("hands out what is committed from now on, to whoever waits and to whoever comes late", async () => {
    await sessions(3);
    const changes = store().subscribe();
    const waiting = take(changes, 2);
    const made = await sessions(400);
    expect(idsOf(await waiting)).toEqual(made.slice(0, 2));
    expect(idsOf(await take(changes, 398))).toEqual(made.slice(2));
    await changes.return?.();
  });

  test("goes on after any change, without gaps and without doubles", async () => {
    expect(await store().changeSequence()).toBe(0);
    const made = await sessions(8);
    const all = await takeAll(store());
    expect(idsOf(all)).toEqual(made);
    expect(await store().changeSequence()).toBe(all.at(-1)!.sequence);
    for (const [n, { sequence }] of all.entries()) {
      expect(await takeAll(store(), sequence)).toEqual(all.slice(n + 1));
    }
    expect(all.map(({ sequence }) => sequence)).toEqual(all.map(({ sequence }) => sequence).sort((a, b) => a - b));
  });

  test("hands out the topics that are asked for and no other", async () => {
    const changes = store().subscribe({ topics: ["documents"] });
    await sessions(300);
    await store().ingest({ path: "a.md", content: "# A" }, { embed: "off" });
    await sessions(1);
    await store().ingest({ path: "b.md", content: "# B" }, { embed: "off" });
    const found = await take(changes, 2);
    expect(found.map(({ topic, kind }) => `${topic} ${kind}`)).toEqual(["documents inserted", "documents inserted"]);
    await changes.return?.();
    const both = await take(store().subscribe({ topics: ["chat", "documents"], since: found[0]!.sequence }), 2);
    expect(both.map(({ topic }) => topic)).toEqual(["chat", "documents"]);
  });

  test("every subscriber has every change, at its own pace, and one that leaves takes nothing from the others", async () => {
    const [fast, slow, leaving] = [store().subscribe(), store().subscribe(), store().subscribe()];
    const left = take(leaving, 1);
    const following = take(fast, 60);
    const made = await sessions(30);
    expect(idsOf(await left)).toEqual(made.slice(0, 1));
    await leaving.return?.();
    expect(await leaving.next()).toMatchObject({ done: true });
    made.push(...(await sessions(30)));
    expect(idsOf(await following)).toEqual(made);
    expect(idsOf(await take(slow, 60))).toEqual(made);
    await Promise.all([fast.return?.(), slow.return?.()]);
  });

  test("answers many who wait at once in the order in which they asked", async () => {
    const changes = store().subscribe();
    const waiting = Promise.all([changes.next(), changes.next(), changes.next()]);
    const made = await sessions(3);
    expect((await waiting).map(({ value }) => (value as Change).id)).toEqual(made);
    await changes.return?.();
  });

  test("ends for whoever waits when it is left, and when the store is closed", async () => {
    const left = store().subscribe();
    const waiting = left.next();
    await left.return?.();
    expect(await waiting).toMatchObject({ done: true });
    const kept = store().subscribe({ since: 0 });
    const pending = kept.next();
    await store().close();
    expect(await pending).toMatchObject({ done: true });
    expect(await kept.next()).toMatchObject({ done: true });
    const late = async (): Promise<unknown> => store().subscribe().next();
    await expect(late()).rejects.toMatchObject({ code: "CLOSED" });
    await expect(store().changeSequence()).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("rejects with ABORTED when it is aborted, once, and hands out nothing more", async () => {
    const controller = new AbortController();
    const changes = store().subscribe({ since: 0, signal: controller.signal });
    const waiting = changes.next();
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
    await sessions(1);
    expect(await changes.next()).toMatchObject({ done: true });
    const aborted = async (): Promise<unknown> => store().subscribe({ signal: AbortSignal.abort() }).next();
    await expect(aborted()).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("says reset to whoever comes from where no change has been yet, and goes on from here", async () => {
    const [first] = await sessions(2);
    expect(first).toBeDefined();
    const newest = await store().changeSequence();
    const changes = store().subscribe({ since: newest + 1000, topics: ["jobs"] });
    const [reset] = await take(changes, 1);
    expect(reset).toMatchObject({ kind: "reset", topic: null, id: null, corpusRevision: null, sequence: newest });
    await changes.return?.();
    const [next] = await sessions(1);
    expect(idsOf(await takeAll(store(), reset!.sequence))).toEqual([next]);
  });

  test("refuses options that are wrong, naming the field", async () => {
    const wrong: [unknown, string][] = [
      [{ topics: [] }, "options.topics"],
      [{ topics: ["weather"] }, "options.topics[0]"],
      [{ topics: "chat" }, "options.topics"],
      [{ since: -1 }, "options.since"],
      [{ since: 1.5 }, "options.since"],
      [{ since: "0" }, "options.since"],
      [{ from: 1 }, "from"],
      [7, "options"],
      [{ signal: 1 }, "signal"],
    ];
    for (const [options, field] of wrong) {
      const asked = async (): Promise<unknown> =>
        store()
          .subscribe(options as never)
          .next();
      await expect(asked()).rejects.toMatchObject({ code: "INVALID_INPUT" });
      await expect(asked()).rejects.toThrow(field);
    }
  });
}
