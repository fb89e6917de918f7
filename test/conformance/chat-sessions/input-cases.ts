import { expect, test } from "vitest";
import type { ChatSessions } from "../../../src/contracts/chat.ts";
import { nested } from "../../support/nested.ts";

const TURN = { role: "user", text: "hello" };
const CITATION = {
  chunkId: "c",
  documentId: "d",
  title: "t",
  workspacePath: "a.md",
  headingPath: [],
  span: { kind: "line", start: 1, end: 2 },
};

/** Field, method, and arguments that are refused for it; `$` stands for a session that is there. */
const CASES: readonly [string, keyof ChatSessions, unknown[]][] = [
  ["session", "createSession", ["title"]],
  ['session has an unknown field "name"', "createSession", [{ name: "x" }]],
  ["session.title", "createSession", [{ title: "" }]],
  ["session.title", "createSession", [{ title: "x".repeat(501) }]],
  ["session.title", "createSession", [{ title: "a\0b" }]],
  ["session.metadata", "createSession", [{ metadata: [] }]],
  ["session.metadata", "createSession", [{ metadata: { big: "x".repeat(65_536) } }]],
  ["id", "getSession", [""]],
  ["id", "getSession", [7]],
  ["page.limit", "listSessions", [{ limit: 0 }]],
  ["page.limit", "listSessions", [{ limit: 1001 }]],
  ["page.cursor", "listSessions", [{ cursor: "garbage" }]],
  ["page.cursor", "listSessions", [{ cursor: "🙂" }]],
  ['page has an unknown field "order"', "listSessions", [{ order: "newest" }]],
  ["id", "renameSession", [null, "x"]],
  ["title", "renameSession", ["$", ""]],
  ["title", "renameSession", ["$", "x".repeat(501)]],
  ["title", "renameSession", ["$", undefined]],
  ["id", "deleteSession", ["x".repeat(257)]],
  ["sessionId", "appendTurn", ["", TURN]],
  ["turn", "appendTurn", ["$", "hello"]],
  ['turn has an unknown field "content"', "appendTurn", ["$", { ...TURN, content: "x" }]],
  ["turn.role", "appendTurn", ["$", { ...TURN, role: "bot" }]],
  ["turn.text", "appendTurn", ["$", { role: "user" }]],
  ["turn.text", "appendTurn", ["$", { ...TURN, text: "x".repeat(1_048_577) }]],
  ["turn.text", "appendTurn", ["$", { ...TURN, text: "語".repeat(349_526) }]],
  ["turn.text", "appendTurn", ["$", { ...TURN, text: "a\ud800" }]],
  ["turn.model", "appendTurn", ["$", { ...TURN, model: "" }]],
  ["turn.model", "appendTurn", ["$", { ...TURN, model: "x".repeat(257) }]],
  ["turn.metadata.n", "appendTurn", ["$", { ...TURN, metadata: { n: Number.NaN } }]],
  ["turn.citations", "appendTurn", ["$", { ...TURN, citations: CITATION }]],
  ["turn.citations", "appendTurn", ["$", { ...TURN, citations: Array.from({ length: 101 }, () => CITATION) }]],
  ["turn.citations[1]", "appendTurn", ["$", { ...TURN, citations: [CITATION, "c"] }]],
  ["turn.citations[0].chunkId", "appendTurn", ["$", { ...TURN, citations: [{}] }]],
  ["turn.citations[0].headingPath", "appendTurn", ["$", { ...TURN, citations: [{ chunkId: "c", title: "t" }] }]],
  ["turn.citations[0].title", "appendTurn", ["$", { ...TURN, citations: [{ ...CITATION, title: undefined }] }]],
  [
    "turn.citations[0].workspacePath",
    "appendTurn",
    ["$", { ...TURN, citations: [{ ...CITATION, workspacePath: "/a" }] }],
  ],
  [
    "turn.citations[0].span.end",
    "appendTurn",
    ["$", { ...TURN, citations: [{ ...CITATION, span: { ...CITATION.span, end: 0 } }] }],
  ],
  [
    'turn.citations[0] has an unknown field "path"',
    "appendTurn",
    ["$", { ...TURN, citations: [{ ...CITATION, path: "x" }] }],
  ],
  ["sessionId", "listTurns", [undefined]],
  ["page.order", "listTurns", ["$", { order: "random" }]],
  ["page.limit", "listTurns", ["$", { limit: 1.5 }]],
  ["page.cursor", "listTurns", ["$", { cursor: "WzEsMiwzXQ" }]],
  ["format", "exportSession", ["$", "html"]],
  ["id", "exportSession", [{}, "json"]],
  ["query", "searchTurns", ["kiln"]],
  ["text", "searchTurns", [{}]],
  ["text", "searchTurns", [{ text: "x".repeat(4097) }]],
  ["k", "searchTurns", [{ text: "x", k: 0 }]],
  ["k", "searchTurns", [{ text: "x", k: 1001 }]],
  ["role", "searchTurns", [{ text: "x", role: "bot" }]],
  ["sessionId", "searchTurns", [{ text: "x", sessionId: "" }]],
  ["cursor", "searchTurns", [{ text: "x", cursor: "garbage" }]],
  ["snippetLength", "searchTurns", [{ text: "x", snippetLength: 39 }]],
  ["text has 65 phrases", "searchTurns", [{ text: Array.from({ length: 65 }, (_, n) => `"p${n}"`).join(" ") }]],
  ['query has an unknown field "limit"', "searchTurns", [{ text: "x", limit: 3 }]],
];

/** What is refused, and changes nothing. One test a method: a store in a browser takes its time to open. */
export function chatInputCases(chat: () => ChatSessions): void {
  const methods = new Set(CASES.map(([, method]) => method));
  test.each([...methods])("%s refuses what it does not take, and names it", async (method) => {
    const { id } = await chat().createSession({ title: "There" });
    const before = await chat().listSessions();
    for (const [field, of, args] of CASES) {
      if (of !== method) continue;
      const given = args.map((value) => (value === "$" ? id : value));
      const call = (chat() as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[method]!(...given);
      const error = await call.then(
        () => `${field} was taken`,
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: "INVALID_INPUT", capability: "chat", operation: method });
      expect((error as Error).message.slice(0, field.length)).toBe(field);
    }
    expect(await chat().listSessions()).toEqual(before);
  });

  test("refuses metadata that is nested 20,000 deep, on this side of a boundary or the other", async () => {
    const { id } = await chat().createSession();
    const metadata = nested(20_000);
    const refused = { code: "INVALID_INPUT", message: expect.stringMatching(/levels of lists and objects/) as string };
    await expect(chat().createSession({ metadata })).rejects.toMatchObject(refused);
    await expect(chat().appendTurn(id, { role: "user", text: "a", metadata })).rejects.toMatchObject(refused);
    expect(await chat().getSession(id)).toMatchObject({ turnCount: 0 });
  });
}
