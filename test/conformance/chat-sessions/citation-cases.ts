import { expect, test } from "vitest";
import type { ChatCitation, ChatSessions, ChatTurn, NewChatCitation } from "../../../src/contracts/chat.ts";
import type { DocumentStore } from "../../../src/contracts/documents.ts";
import { sampleDocument } from "../../support/sample-document.ts";

/** What turns stand on. */
export function chatCitationCases(chat: () => ChatSessions, documents: () => DocumentStore): void {
  async function cite(...citations: NewChatCitation[]): Promise<ChatTurn> {
    const { id } = await chat().createSession();
    return chat().appendTurn(id, { role: "assistant", text: "as it is written", citations });
  }
  const readBack = async ({ sessionId }: ChatTurn): Promise<ChatCitation[] | undefined> =>
    (await chat().listTurns(sessionId)).items[0]?.citations;

  const elsewhere: ChatCitation = {
    chunkId: "of another store",
    documentId: "x",
    title: "",
    workspacePath: "web/page 1.html",
    headingPath: [],
    span: { kind: "line", start: 3, end: 9 },
  };

  test("looks up what is cited by the id of a chunk", async () => {
    const { document, chunks } = sampleDocument("guides/窯.md", "First.\n\nSecond.", { title: "Kilns" });
    await documents().putWhole(sampleDocument("guides/窯.md", "First.\n\nSecond.", { title: "Kilns" }));
    const [first, second] = chunks;
    const turn = await cite({ chunkId: second!.id }, elsewhere, { chunkId: first!.id }, { chunkId: second!.id });
    const about = { documentId: document.id, title: "Kilns", workspacePath: "guides/窯.md" };
    const expected = [second!, first!].map(({ id, headingPath, span }) => ({
      chunkId: id,
      ...about,
      headingPath,
      span,
    }));
    expect(turn.citations).toEqual([expected[0], elsewhere, expected[1], expected[0]]);
    expect(await readBack(turn)).toEqual(turn.citations);
  });

  test("keeps citations as they were when their document changes and when it is gone", async () => {
    const { document, chunks } = sampleDocument("a.md", "First.", { title: "Before" });
    await documents().putWhole(sampleDocument("a.md", "First.", { title: "Before" }));
    const turn = await cite({ chunkId: chunks[0]!.id });
    await documents().putDocument({ ...document, title: "After" });
    expect(await readBack(turn)).toEqual(turn.citations);
    await documents().deleteDocument(document.id);
    expect(await documents().getChunk(chunks[0]!.id)).toBeUndefined();
    expect(await readBack(turn)).toEqual(turn.citations);
    expect(turn.citations[0]?.title).toBe("Before");
  });

  test("takes whole citations as they are given, whether their chunk is there or not", async () => {
    const turn = await cite(elsewhere);
    expect(turn.citations).toEqual([elsewhere]);
    expect(await readBack(turn)).toEqual([elsewhere]);
  });

  test("refuses a chunk that is not there, and appends nothing", async () => {
    const { id } = await chat().createSession();
    const citations = [elsewhere, { chunkId: "unknown" }];
    await expect(chat().appendTurn(id, { role: "assistant", text: "x", citations })).rejects.toMatchObject({
      code: "NOT_FOUND",
      capability: "chat",
      message: expect.stringContaining('"unknown"') as string,
    });
    expect(await chat().listTurns(id)).toEqual({ items: [] });
  });

  test("takes 100 citations", async () => {
    const turn = await cite(...Array.from({ length: 100 }, (_, n) => ({ ...elsewhere, chunkId: String(n) })));
    expect((await readBack(turn))?.map(({ chunkId }) => chunkId)).toEqual(
      Array.from({ length: 100 }, (_, n) => `${n}`),
    );
  });
}
