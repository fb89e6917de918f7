import { expect, test } from "vitest";
import type { ChatRole, ChatSearchHit, ChatSearchQuery, ChatSessions } from "../../../src/contracts/chat.ts";

/** Finding turns by their words. */
export function chatSearchCases(chat: () => ChatSessions): void {
  async function session(title: string, ...turns: readonly (readonly [ChatRole, string])[]): Promise<string> {
    const { id } = await chat().createSession({ title });
    for (const [role, text] of turns) await chat().appendTurn(id, { role, text });
    return id;
  }
  const find = async (query: string | ChatSearchQuery): Promise<ChatSearchHit[]> =>
    (await chat().searchTurns(typeof query === "string" ? { text: query } : query)).hits;
  /** Marked words of the hits. */
  const marked = ({ snippet: { text, highlights } }: ChatSearchHit): string[] =>
    highlights.map(([start, end]) => text.slice(start, end));

  test("tells where a turn stands, and marks what was found", async () => {
    await session("Other", ["user", "nothing to see"]);
    const id = await session("Kilns", ["system", "Be short."], ["user", "How hot is a kiln?"]);
    const { items } = await chat().listTurns(id);
    expect(await find("kiln")).toEqual([
      {
        turnId: items[1]!.id,
        sessionId: id,
        sessionTitle: "Kilns",
        index: 1,
        role: "user",
        snippet: { text: "How hot is a kiln?", highlights: [[13, 17]] },
        score: expect.any(Number) as number,
        createdAt: items[1]!.createdAt,
      },
    ]);
  });

  test("puts turns with more of the words first", async () => {
    await session(
      "a",
      ["user", "kiln"],
      ["user", "glaze and more words that stand here for length"],
      ["assistant", "kiln glaze"],
    );
    const hits = await find("glaze kiln");
    expect(hits.map(({ index }) => index)).toEqual([2, 0, 1]);
    const scores = hits.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(scores.every((score) => score > 0)).toBe(true);
  });

  test.each([
    ["データベース", "この データベースは速い", ["データベース"]],
    ["数据库", "我们的数据库很快。", ["数据库"]],
    ["京", "東京タワーは高い", ["京"]],
    ["서울", "서울에서 만나요", ["서울"]],
    ["schon", "Das ist schön", ["schön"]],
    ["run", "they are running", ["running"]],
    ["ไทย", "ภาษาไทยง่าย", ["ไทย"]],
  ])("finds %s in %s", async (text, content, expected) => {
    await session("a", ["user", "nothing of it"], ["user", content]);
    const hits = await find(text);
    expect(hits.map(({ index }) => index)).toEqual([1]);
    expect(marked(hits[0]!)).toEqual(expected);
  });

  test("reads phrases, beginnings and words to leave out, and everything else as text", async () => {
    await session("a", ["user", "blue glaze"], ["user", "glaze in blue"], ["user", "celadon"]);
    const indexes = async (text: string): Promise<number[]> =>
      (await find(text)).map(({ index }) => index).toSorted((a, b) => a - b);
    expect(await indexes('"blue glaze"')).toEqual([0]);
    expect(await indexes('"blue glaze" celadon')).toEqual([0]);
    expect(await indexes("cela*")).toEqual([2]);
    expect(await indexes("glaze -blue")).toEqual([]);
    expect(await indexes('blue -"glaze in"')).toEqual([0]);
    for (const odd of [
      '"',
      "*",
      "-",
      "AND",
      "text:celadon NEAR(",
      "{text} : x",
      "'; DROP TABLE chat_turns",
      "🔥",
      " ",
    ]) {
      expect(Array.isArray(await find(odd))).toBe(true);
    }
    expect(await indexes("{text} : celadon")).toEqual([2]);
  });

  test("looks in one session, or for one role", async () => {
    const a = await session("a", ["user", "kiln"], ["assistant", "kiln"]);
    const b = await session("b", ["user", "kiln"]);
    const where = (hits: readonly ChatSearchHit[]): string[] =>
      hits.map((hit) => `${hit.sessionId === a ? "a" : "b"} ${hit.role}`).sort();
    expect(where(await find("kiln"))).toEqual(["a assistant", "a user", "b user"]);
    expect(where(await find({ text: "kiln", sessionId: a }))).toEqual(["a assistant", "a user"]);
    expect(where(await find({ text: "kiln", role: "user" }))).toEqual(["a user", "b user"]);
    expect(where(await find({ text: "kiln", sessionId: b, role: "assistant" }))).toEqual([]);
    expect(where(await find({ text: "kiln", sessionId: "unknown" }))).toEqual([]);
  });

  test("pages through all hits once, of equal scores the newer first", async () => {
    const id = await session("a", ...Array.from({ length: 7 }, () => ["user", "kiln"] as const));
    await session("b", ["user", "other words"]);
    for (const k of [1, 3, 7, 8]) {
      const seen: number[] = [];
      let cursor: string | undefined;
      let pages = 0;
      do {
        const query = { text: "kiln", sessionId: id, k, ...(cursor === undefined ? {} : { cursor }) };
        const { hits, nextCursor } = await chat().searchTurns(query);
        seen.push(...hits.map(({ index }) => index));
        cursor = nextCursor;
        pages++;
      } while (cursor !== undefined);
      expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0]);
      expect(pages).toBe(Math.ceil(7 / k));
    }
    expect(await find("kiln")).toHaveLength(7);
  });

  test("takes a cursor for the same query, and no other", async () => {
    await session("a", ["user", "kiln"], ["user", "kiln"]);
    const { nextCursor } = await chat().searchTurns({ text: "kiln", k: 1 });
    for (const query of [
      { text: "glaze" },
      { text: "kiln", role: "user" as const },
      { text: "kiln", sessionId: "a" },
    ]) {
      const refused = chat().searchTurns({ ...query, cursor: nextCursor! });
      await expect(refused).rejects.toMatchObject({ code: "INVALID_INPUT", capability: "chat" });
    }
  });

  test("shows the place in a long text where the words are", async () => {
    const filler = "lorem ipsum 😀 dolor ".repeat(9000);
    await session("a", ["tool", `${filler}the celadon glaze ${filler}`]);
    const [hit] = await find({ text: "celadon", snippetLength: 60 });
    expect(marked(hit!)).toEqual(["celadon"]);
    const { text } = hit!.snippet;
    expect(text.length).toBeLessThanOrEqual(62);
    expect([text.startsWith("…"), text.endsWith("…")]).toEqual([true, true]);
  });

  test("finds nothing for a text without words", async () => {
    await session("a", ["user", "kiln"]);
    expect(await chat().searchTurns({ text: "" })).toEqual({ hits: [] });
    expect(await chat().searchTurns({ text: "-kiln" })).toEqual({ hits: [] });
  });
}
