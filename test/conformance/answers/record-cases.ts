import { expect, test } from "vitest";
import type { NewAnswer } from "../../../src/contracts/answers.ts";
import type { ChatCitation } from "../../../src/contracts/chat.ts";
import { sampleDocument } from "../../support/sample-document.ts";
import type { AnsweringStore } from "../answers.ts";

const PLAIN: NewAnswer = { query: "how hot is cone 6?", mode: "lexical", text: "1222 °C 🔥\n" };
const CITATION: ChatCitation = {
  chunkId: "of another store",
  documentId: "x",
  title: "",
  workspacePath: "web/page 1.html",
  headingPath: ["A", "B"],
  span: { kind: "line", start: 3, end: 9 },
};

/** Answers: recording, getting and deleting them. */
export function answerRecordCases(store: () => AnsweringStore): void {
  test("keeps every field, and gives each back as it was put", async () => {
    const { id: sessionId } = await store().chat.createSession();
    const { id: turnId } = await store().chat.appendTurn(sessionId, { role: "assistant", text: "1222" });
    const packedChunks = [
      { chunkId: "c2", documentId: "d", number: 1, rank: 2, score: -0.25, tokens: 40 },
      { chunkId: "c1", documentId: "d", number: 2, rank: null, score: null, tokens: 0 },
    ];
    const given: NewAnswer = {
      ...PLAIN,
      mode: "hybrid",
      outcome: "grounded",
      citations: [CITATION],
      packedChunks,
      model: "kiln-1",
      usage: { promptTokens: 120, completionTokens: 8 },
      latencyMs: 12.5,
      metadata: { 窯: [1, null, { deep: true }] },
      turnId,
    };
    const answer = await store().answers.record(given);
    expect(answer).toEqual({
      ...given,
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      refusalReason: null,
      sessionId,
      corpusRevision: await store().documents.corpusRevision(),
      createdAt: expect.any(Number) as number,
    });
    expect(await store().answers.get(answer.id)).toEqual(answer);
    expect((await store().answers.list()).items).toEqual([answer]);
  });

  test("needs no more than query, mode and text, which may be empty", async () => {
    const nothing = { refusalReason: null, model: null, latencyMs: null, sessionId: null, turnId: null } as const;
    for (const extra of [{}, nothing]) {
      expect(await store().answers.record({ ...PLAIN, text: "", ...extra })).toMatchObject({
        ...nothing,
        text: "",
        outcome: "ungrounded",
        citations: [],
        packedChunks: [],
        usage: { promptTokens: null, completionTokens: null },
        metadata: {},
      });
    }
  });

  test("is grounded where it cites something, unless it says otherwise, and refused with a reason or without", async () => {
    const { answers } = store();
    expect(await answers.record({ ...PLAIN, citations: [CITATION] })).toMatchObject({ outcome: "grounded" });
    const doubted = await answers.record({ ...PLAIN, citations: [CITATION], outcome: "ungrounded" });
    expect(doubted).toMatchObject({ outcome: "ungrounded", citations: [CITATION] });
    const refused = { ...PLAIN, text: "", outcome: "refused" } as const;
    expect(await answers.record(refused)).toMatchObject({ outcome: "refused", refusalReason: null });
    const why = await answers.record({ ...refused, refusalReason: "nothing was found" });
    expect(await answers.get(why.id)).toMatchObject({ outcome: "refused", refusalReason: "nothing was found" });
  });

  test("looks up what is cited by a chunk alone, and keeps it when the document is gone", async () => {
    const sample = sampleDocument("guides/窯.md", "First.\n\nSecond.", { title: "Kilns" });
    await store().documents.putWhole(sample);
    const [first] = sample.chunks;
    const answer = await store().answers.record({ ...PLAIN, citations: [{ chunkId: first!.id }, CITATION] });
    expect(answer.citations).toEqual([
      {
        chunkId: first!.id,
        documentId: sample.document.id,
        title: "Kilns",
        workspacePath: "guides/窯.md",
        headingPath: first!.headingPath,
        span: first!.span,
      },
      CITATION,
    ]);
    await store().documents.deleteDocument(sample.document.id);
    expect(await store().answers.get(answer.id)).toEqual(answer);
  });

  test("notes the corpus revision of its moment, and leaves it", async () => {
    const before = await store().answers.record(PLAIN);
    await store().documents.putWhole(sampleDocument("a.md", "Text."));
    const revision = await store().documents.corpusRevision();
    expect(before.corpusRevision).toBeLessThan(revision);
    expect(await store().answers.record(PLAIN)).toMatchObject({ corpusRevision: revision });
    expect(await store().documents.corpusRevision()).toBe(revision);
  });

  test("is kept when its conversation is gone", async () => {
    const { id: sessionId } = await store().chat.createSession();
    const answer = await store().answers.record({ ...PLAIN, sessionId });
    expect(answer).toMatchObject({ sessionId, turnId: null });
    await store().chat.deleteSession(sessionId);
    expect(await store().answers.get(answer.id)).toEqual(answer);
  });

  test("records nothing of a chunk, session or turn that is not there", async () => {
    const { id: sessionId } = await store().chat.createSession();
    const { id: turnId } = await store().chat.appendTurn(sessionId, { role: "user", text: "x" });
    const other = await store().chat.createSession();
    const missing: Partial<NewAnswer>[] = [
      { citations: [{ chunkId: "unknown" }] },
      { sessionId: "unknown" },
      { turnId: "unknown" },
      { sessionId: other.id, turnId },
    ];
    for (const one of missing) {
      await expect(store().answers.record({ ...PLAIN, ...one })).rejects.toMatchObject({
        code: "NOT_FOUND",
        capability: "answers",
        operation: "record",
      });
    }
    expect(await store().answers.list()).toEqual({ items: [] });
  });

  test("is deleted once, and alone", async () => {
    const kept = await store().answers.record(PLAIN);
    const { id } = await store().answers.record(PLAIN);
    expect(await store().answers.delete(id)).toBe(true);
    expect(await store().answers.delete(id)).toBe(false);
    expect(await store().answers.get(id)).toBeUndefined();
    expect((await store().answers.list()).items).toEqual([kept]);
  });
}
