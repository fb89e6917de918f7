import fc from "fast-check";
import { expect, test } from "vitest";
import type { Change } from "../../src/contracts/changes.ts";
import type { Store } from "../../src/contracts/store.ts";
import { takeAll } from "../conformance/change-feed/take.ts";
import { openTestStore } from "../support/open-test-store.ts";

const path = fc.constantFrom("a.md", "b.md", "c.md");
const write = fc.oneof(
  fc.record({ kind: fc.constant("ingest" as const), path, word: fc.constantFrom("kiln", "glaze") }),
  fc.record({ kind: fc.constant("delete" as const), path }),
  fc.record({ kind: fc.constant("tag" as const), path, tag: fc.constantFrom("x", "y") }),
  fc.record({ kind: fc.constant("session" as const) }),
  fc.record({ kind: fc.constant("turn" as const) }),
  fc.record({ kind: fc.constant("forget" as const) }),
  fc.record({ kind: fc.constant("sweep" as const) }),
);
type Write = typeof write extends fc.Arbitrary<infer T> ? T : never;

test("whoever follows from any place, and reads what it hears of, holds what the store holds", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 25 }), fc.nat(25), async (writes, from) => {
      const { store } = await openTestStore();
      try {
        const live = store.subscribe();
        for (const one of writes.slice(0, from)) await take(store, one);
        const since = await store.changeSequence();
        const follower = await held(store);
        for (const one of writes.slice(from)) await take(store, one);
        const changes = await takeAll(store, since);
        for (const change of changes) await hear(store, follower, change);
        const jobs = changes.filter(({ topic }) => topic === "jobs");
        for (const { id } of jobs)
          expect(await store.jobs.get(id!)).toMatchObject({ kind: "ingest", status: "completed" });
        expect(follower).toEqual(await held(store));
        // What was heard as it came is what the log says: in order, each once.
        const all = await takeAll(store);
        const heard: Change[] = [];
        while (heard.length < all.length) heard.push((await live.next()).value as Change);
        expect(heard).toEqual(all);
        expect(all.slice(all.length - changes.length)).toEqual(changes);
      } finally {
        await store.close();
      }
    }),
    { numRuns: 60 },
  );
});

async function take(store: Store, one: Write): Promise<void> {
  const [session] = (await store.chat.listSessions({ limit: 1 })).items;
  switch (one.kind) {
    case "ingest":
      await store.ingest({ path: one.path, content: `# ${one.word}` });
      return;
    case "delete":
      await store.documents.purgeOrphanAtWorkspacePath(one.path);
      return;
    case "tag": {
      const document = await store.documents.getDocumentByWorkspacePath(one.path);
      if (document !== undefined) await store.documents.putDocument({ ...document, tags: [one.tag] });
      return;
    }
    case "session":
      await store.chat.createSession();
      return;
    case "turn":
      if (session !== undefined) await store.chat.appendTurn(session.id, { role: "user", text: "hello" });
      return;
    case "forget":
      if (session !== undefined) await store.chat.deleteSession(session.id);
      return;
    case "sweep":
      await store.ingest({ path: "kept.md", content: "# Kept" }, { sweep: { prefix: "" } });
      return;
  }
}

/** Documents by id, with their tags, and the numbers of turns of each session. */
interface Held {
  documents: Map<string, string[]>;
  turns: Map<string, number>;
}

async function held(store: Store): Promise<Held> {
  const documents = (await store.documents.listDocuments()).items.map(({ id, tags }) => [id, tags] as const);
  const sessions = (await store.chat.listSessions({ limit: 1000 })).items;
  return { documents: new Map(documents), turns: new Map(sessions.map(({ id, turnCount }) => [id, turnCount])) };
}

async function hear(store: Store, follower: Held, { topic, kind, id, sessionId, turnIndex }: Change): Promise<void> {
  if (topic === "jobs") return;
  if (topic === "documents") {
    const document = kind === "deleted" ? undefined : await store.documents.getDocument(id!);
    // It may be gone already: then its end is heard later.
    if (document === undefined) follower.documents.delete(id!);
    else follower.documents.set(document.id, document.tags);
  } else if (turnIndex !== undefined) {
    follower.turns.set(sessionId!, turnIndex + 1);
  } else if (kind === "deleted") follower.turns.delete(id!);
  else follower.turns.set(id!, follower.turns.get(id!) ?? 0);
}
