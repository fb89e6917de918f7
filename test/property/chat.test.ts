import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChatRole, ChatSession, ChatTurn } from "../../src/contracts/chat.ts";
import type { Page } from "../../src/contracts/documents.ts";
import { SqlChatSessions } from "../../src/store/chat/sql-chat-sessions.ts";
import { ChatModel, type ModelTurn } from "../support/chat-model.ts";
import { sqlDatabases } from "../support/sql-databases.ts";

/** None is a form of another, and none says nothing in English. */
const WORDS = ["apple", "berry", "窯", "数据", "ofen"];
const ROLES: readonly ChatRole[] = ["system", "user", "assistant", "tool"];

type Step =
  | { kind: "create"; title: string | null }
  | { kind: "append"; place: number; turns: ModelTurn[] }
  | { kind: "rename"; place: number; title: string | null }
  | { kind: "delete"; place: number };

const place = fc.nat({ max: 5 });
const title = fc.option(fc.constantFrom("Kilns", "窯", "Notes on heat"));
const turn: fc.Arbitrary<ModelTurn> = fc.record({
  role: fc.constantFrom(...ROLES),
  text: fc.array(fc.constantFrom(...WORDS), { maxLength: 4 }).map((words) => words.join(" ")),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("create" as const), title }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("append" as const), place, turns: fc.array(turn, { maxLength: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rename" as const), place, title }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("delete" as const), place }) },
);
const query = fc.record({
  words: fc.subarray(WORDS, { minLength: 1, maxLength: 2 }),
  excluded: fc.subarray(WORDS, { maxLength: 1 }),
  role: fc.option(fc.constantFrom(...ROLES), { nil: undefined }),
  place: fc.option(place, { nil: undefined }),
  k: fc.integer({ min: 1, max: 5 }),
});

async function take(step: Step, chat: SqlChatSessions, model: ChatModel): Promise<void> {
  if (step.kind === "create") {
    const { id } = await chat.createSession({ title: step.title });
    model.create(id, step.title);
    return;
  }
  const session = model.at(step.place);
  if (session === undefined) return;
  switch (step.kind) {
    case "append":
      await Promise.all(step.turns.map((one) => chat.appendTurn(session.id, one)));
      model.append(session, step.turns);
      return;
    case "rename":
      await chat.renameSession(session.id, step.title);
      session.title = step.title;
      return;
    case "delete":
      expect(await chat.deleteSession(session.id)).toBe(true);
      model.remove(session);
  }
}

/** Reads all pages of a list. */
async function everything<T>(read: (cursor: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return items;
}

async function expectSame(chat: SqlChatSessions, model: ChatModel): Promise<void> {
  const sessions = await everything<ChatSession>((cursor) =>
    chat.listSessions({ limit: 2, ...(cursor === undefined ? {} : { cursor }) }),
  );
  expect(sessions.map((one) => [one.id, one.title, one.turnCount])).toEqual(
    model.sessions.map((one) => [one.id, one.title, one.turns.length]),
  );
  for (const { id, turns } of model.sessions) {
    for (const order of ["oldest", "newest"] as const) {
      const listed = await everything<ChatTurn>((cursor) =>
        chat.listTurns(id, { limit: 3, order, ...(cursor === undefined ? {} : { cursor }) }),
      );
      const expected = turns.map(({ role, text }, index) => [index, role, text]);
      expect(listed.map(({ index, role, text }) => [index, role, text])).toEqual(
        order === "oldest" ? expected : expected.toReversed(),
      );
    }
  }
}

describe.each(sqlDatabases)("chat on $driver", ({ driver, open }) => {
  test("is after any steps what a naive model is, and finds what it finds", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 20, size: "max" }),
        fc.array(query, { maxLength: 5 }),
        async (steps, queries) => {
          await using db = await open();
          const chat = new SqlChatSessions(db);
          const model = new ChatModel();
          for (const one of steps) await take(one, chat, model);
          await expectSame(chat, model);
          for (const { words, excluded, role, place: at, k } of queries) {
            const sessionId = at === undefined ? undefined : model.at(at)?.id;
            const text = [...words, ...excluded.map((word) => `-${word}`)].join(" ");
            const hits = await everything(async (cursor) => {
              const page = await chat.searchTurns({
                text,
                k,
                ...(role === undefined ? {} : { role }),
                ...(sessionId === undefined ? {} : { sessionId }),
                ...(cursor === undefined ? {} : { cursor }),
              });
              return { ...page, items: page.hits };
            });
            expect(hits.map((hit) => `${hit.sessionId} ${hit.index}`).sort()).toEqual(
              model.matching(words, excluded, role, sessionId),
            );
            const scores = hits.map(({ score }) => score);
            expect(scores).toEqual(scores.toSorted((a, b) => b - a));
          }
          expect(await db.all("PRAGMA foreign_key_check")).toEqual([]);
          expect(await db.get("SELECT count(*) AS n FROM chat_turns_fts_docsize")).toEqual({
            n: model.sessions.reduce((sum, { turns }) => sum + turns.length, 0),
          });
        },
      ),
      { numRuns: driver === "sql-node" ? 80 : 30 },
    );
  });
});
