import { expect, test } from "vitest";
import type { ChatSession, ChatSessions } from "../../../src/contracts/chat.ts";
import type { DocumentStore } from "../../../src/contracts/documents.ts";

/** Sessions: making, naming, listing and deleting them. */
export function chatSessionCases(chat: () => ChatSessions, documents: () => DocumentStore): void {
  async function create(...titles: string[]): Promise<ChatSession[]> {
    const made: ChatSession[] = [];
    for (const title of titles) made.push(await chat().createSession({ title }));
    return made;
  }
  const titles = (sessions: readonly ChatSession[]): (string | null)[] => sessions.map(({ title }) => title);

  test("makes a session with a title and metadata, and returns it as it reads back", async () => {
    const before = Date.now();
    const made = await chat().createSession({ title: "Kilns 窯", metadata: { tags: ["heat"], deep: { n: null } } });
    expect(made).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      title: "Kilns 窯",
      metadata: { tags: ["heat"], deep: { n: null } },
      createdAt: made.lastActiveAt,
      lastActiveAt: expect.any(Number) as number,
      turnCount: 0,
    });
    expect(made.createdAt).toBeGreaterThanOrEqual(before);
    expect(await chat().getSession(made.id)).toEqual(made);
  });

  test("makes a session of nothing", async () => {
    for (const given of [undefined, {}, { title: null }]) {
      const made = await chat().createSession(given);
      expect(made).toMatchObject({ title: null, metadata: {}, turnCount: 0 });
      expect(await chat().getSession(made.id)).toEqual(made);
    }
  });

  test("returns undefined for a session that is not there", async () => {
    expect(await chat().getSession("unknown")).toBeUndefined();
  });

  test("lists sessions by their newest activity, which a turn is and a title is not", async () => {
    const [a, b, c] = await create("a", "b", "c");
    expect(titles((await chat().listSessions()).items)).toEqual(["c", "b", "a"]);
    await chat().appendTurn(a!.id, { role: "user", text: "hello" });
    expect(titles((await chat().listSessions()).items)).toEqual(["a", "c", "b"]);
    await chat().renameSession(b!.id, "bee");
    await chat().appendTurn(c!.id, { role: "user", text: "hello" });
    const { items, nextCursor } = await chat().listSessions();
    expect(titles(items)).toEqual(["c", "a", "bee"]);
    expect(nextCursor).toBeUndefined();
    expect(items[0]).toEqual(await chat().getSession(c!.id));
  });

  test("pages through all sessions once, whatever the page size", async () => {
    await create("1", "2", "3", "4", "5");
    for (const limit of [1, 2, 4, 5, 6]) {
      const seen: ChatSession[] = [];
      let cursor: string | undefined;
      let pages = 0;
      do {
        const page = await chat().listSessions(cursor === undefined ? { limit } : { limit, cursor });
        expect(page.items.length).toBeLessThanOrEqual(limit);
        seen.push(...page.items);
        cursor = page.nextCursor;
        pages++;
      } while (cursor !== undefined);
      expect(titles(seen)).toEqual(["5", "4", "3", "2", "1"]);
      expect(pages).toBe(Math.ceil(5 / limit));
    }
  });

  test("goes on after the last of the page before when sessions come, go and become active", async () => {
    const [a, b, c, d] = await create("a", "b", "c", "d");
    const first = await chat().listSessions({ limit: 2 });
    expect(titles(first.items)).toEqual(["d", "c"]);
    await chat().deleteSession(c!.id);
    await chat().appendTurn(d!.id, { role: "user", text: "more" });
    await create("e");
    const second = await chat().listSessions({ limit: 9, cursor: first.nextCursor! });
    expect(second.items.map(({ id }) => id)).toEqual([b!.id, a!.id]);
  });

  test("lists 50 sessions a page unless told otherwise", async () => {
    for (let n = 0; n < 52; n++) await chat().createSession();
    const page = await chat().listSessions();
    expect(page.items).toHaveLength(50);
    expect((await chat().listSessions({ cursor: page.nextCursor! })).items).toHaveLength(2);
  });

  test("gives a session another title, or none, and changes nothing else", async () => {
    const [made] = await create("before");
    await chat().appendTurn(made!.id, { role: "user", text: "hello" });
    const session = await chat().getSession(made!.id);
    for (const title of ["after", null, "再び"]) {
      const renamed = await chat().renameSession(made!.id, title);
      expect(renamed).toEqual({ ...session, title });
      expect(await chat().getSession(made!.id)).toEqual(renamed);
    }
    await expect(chat().renameSession("unknown", "x")).rejects.toMatchObject({ code: "NOT_FOUND", capability: "chat" });
  });

  test("deletes a session with its turns and what is found of them, and no other", async () => {
    const [a, b] = await create("a", "b");
    for (const { id } of [a!, b!]) await chat().appendTurn(id, { role: "user", text: "celadon" });
    expect(await chat().deleteSession(a!.id)).toBe(true);
    expect(await chat().deleteSession(a!.id)).toBe(false);
    expect(await chat().getSession(a!.id)).toBeUndefined();
    await expect(chat().listTurns(a!.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect((await chat().listTurns(b!.id)).items).toHaveLength(1);
    expect((await chat().searchTurns({ text: "celadon" })).hits).toMatchObject([{ sessionId: b!.id }]);
  });

  test("leaves the corpus revision, whatever is said", async () => {
    const revision = await documents().corpusRevision();
    const [made] = await create("a");
    await chat().appendTurn(made!.id, { role: "user", text: "hello" });
    await chat().renameSession(made!.id, "b");
    await chat().deleteSession(made!.id);
    expect(await documents().corpusRevision()).toBe(revision);
  });
}
