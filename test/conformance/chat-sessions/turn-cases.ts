import { expect, test } from "vitest";
import type { ChatRole, ChatSessions, ChatTurn } from "../../../src/contracts/chat.ts";
import type { DocumentStore } from "../../../src/contracts/documents.ts";

/** Turns: appending and listing them. */
export function chatTurnCases(chat: () => ChatSessions, documents: () => DocumentStore): void {
  const begin = async (): Promise<string> => (await chat().createSession()).id;
  const say = (id: string, text: string, role: ChatRole = "user"): Promise<ChatTurn> =>
    chat().appendTurn(id, { role, text });
  const texts = (turns: readonly ChatTurn[]): string[] => turns.map(({ text }) => text);

  test("appends turns of every role, and returns them as they read back", async () => {
    const id = await begin();
    const other = await begin();
    await say(other, "elsewhere");
    const turns: ChatTurn[] = [];
    for (const role of ["system", "user", "assistant", "tool"] as const) {
      turns.push(
        await chat().appendTurn(id, { role, text: `${role} says 窯 🔥\n`, model: "kiln-1", metadata: { tokens: 7 } }),
      );
    }
    expect(turns.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(new Set(turns.map((turn) => turn.id)).size).toBe(4);
    expect(turns[2]).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      sessionId: id,
      index: 2,
      role: "assistant",
      text: "assistant says 窯 🔥\n",
      citations: [],
      model: "kiln-1",
      metadata: { tokens: 7 },
      createdAt: expect.any(Number) as number,
    });
    expect((await chat().listTurns(id)).items).toEqual(turns);
    expect(await chat().getSession(id)).toMatchObject({ turnCount: 4, lastActiveAt: turns[3]!.createdAt });
  });

  test("needs no more than a role and a text, which may be empty", async () => {
    const id = await begin();
    for (const turn of [{ role: "tool", text: "" } as const, { role: "tool", text: "", model: null } as const]) {
      expect(await chat().appendTurn(id, turn)).toMatchObject({ text: "", citations: [], model: null, metadata: {} });
    }
  });

  test("takes a text of one megabyte", async () => {
    const id = await begin();
    const text = "語".repeat(349_525);
    await say(id, text);
    expect((await chat().listTurns(id)).items[0]?.text).toBe(text);
  });

  test("appends to no session that is not there, and nothing then", async () => {
    await expect(say("unknown", "hello")).rejects.toMatchObject({
      code: "NOT_FOUND",
      capability: "chat",
      operation: "appendTurn",
    });
    expect((await chat().searchTurns({ text: "hello" })).hits).toEqual([]);
  });

  test("numbers 50 turns that are appended at once without gaps or repeats, in the order of the calls", async () => {
    const [one, two] = [await begin(), await begin()];
    const appended = await Promise.all(Array.from({ length: 50 }, (_, n) => say(n % 5 === 0 ? two : one, `turn ${n}`)));
    for (const [id, size] of [
      [one, 40],
      [two, 10],
    ] as const) {
      const mine = appended.filter(({ sessionId }) => sessionId === id);
      expect(mine.map(({ index }) => index)).toEqual(Array.from({ length: size }, (_, n) => n));
      expect((await chat().listTurns(id, { limit: 100 })).items).toEqual(mine);
      expect((await chat().getSession(id))?.turnCount).toBe(size);
    }
  });

  test("numbers on without a gap after appends that failed", async () => {
    const id = await begin();
    const outcomes = await Promise.allSettled([
      say(id, "first"),
      chat().appendTurn(id, { role: "user", text: "bad", citations: [{ chunkId: "unknown" }] }),
      say(id, "second"),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    const { items } = await chat().listTurns(id);
    expect(items.map(({ index, text }) => [index, text])).toEqual([
      [0, "first"],
      [1, "second"],
    ]);
  });

  test("lists the oldest first or the newest first, page by page", async () => {
    const id = await begin();
    for (let n = 0; n < 5; n++) await say(id, String(n));
    const all = ["0", "1", "2", "3", "4"];
    for (const order of ["oldest", "newest"] as const) {
      for (const limit of [1, 2, 4, 5, 6]) {
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await chat().listTurns(id, { limit, order, ...(cursor === undefined ? {} : { cursor }) });
          expect(page.items.length).toBeLessThanOrEqual(limit);
          seen.push(...texts(page.items));
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        expect(seen).toEqual(order === "oldest" ? all : all.toReversed());
      }
    }
  });

  test("goes on where a page ended when turns are appended in between", async () => {
    const id = await begin();
    for (let n = 0; n < 4; n++) await say(id, String(n));
    const oldest = await chat().listTurns(id, { limit: 2 });
    const newest = await chat().listTurns(id, { limit: 2, order: "newest" });
    await say(id, "4");
    expect(texts((await chat().listTurns(id, { cursor: oldest.nextCursor! })).items)).toEqual(["2", "3", "4"]);
    const rest = await chat().listTurns(id, { order: "newest", cursor: newest.nextCursor! });
    expect(texts(rest.items)).toEqual(["1", "0"]);
  });

  test("ends a page early where its texts are long, and the next one goes on", async () => {
    const id = await begin();
    const text = "x".repeat(1024 * 1024);
    for (let n = 0; n < 18; n++) await say(id, text);
    const first = await chat().listTurns(id);
    expect(first.items).toHaveLength(17);
    const second = await chat().listTurns(id, { cursor: first.nextCursor! });
    expect(second.items.map(({ index }) => index)).toEqual([17]);
  });

  test("takes a cursor for the same session and order, and no other", async () => {
    const [one, two] = [await begin(), await begin()];
    for (const id of [one, two]) for (let n = 0; n < 3; n++) await say(id, String(n));
    const { nextCursor } = await chat().listTurns(one, { limit: 1 });
    const cursor = nextCursor!;
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
    const refused = { code: "INVALID_INPUT", message: expect.stringContaining("another list") as string };
    await expect(chat().listTurns(two, { cursor })).rejects.toMatchObject(refused);
    await expect(chat().listTurns(one, { cursor, order: "newest" })).rejects.toMatchObject(refused);
    await expect(chat().listSessions({ cursor })).rejects.toMatchObject(refused);
  });

  test("lists nothing of a session without turns, and refuses one that is not there", async () => {
    expect(await chat().listTurns(await begin())).toEqual({ items: [] });
    await expect(chat().listTurns("unknown")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("is not found among the documents", async () => {
    await say(await begin(), "celadon");
    expect(await documents().countDocuments()).toBe(0);
  });
}
