import { expect, test } from "vitest";
import type { Answer, AnswerFilter, AnswerOutcome } from "../../../src/contracts/answers.ts";
import type { AnsweringStore } from "../answers.ts";

const CITATION = {
  chunkId: "c",
  documentId: "d",
  title: "t",
  workspacePath: "a.md",
  headingPath: [],
  span: { kind: "line", start: 1, end: 2 },
} as const;

/** Lists of answers. */
export function answerListCases(store: () => AnsweringStore): void {
  const record = (outcome: AnswerOutcome, text = "", model: string | null = null): Promise<Answer> =>
    store().answers.record({
      query: "q",
      mode: "lexical",
      text,
      outcome,
      model,
      citations: outcome === "grounded" ? [{ ...CITATION, headingPath: [] }] : [],
    });

  async function all(filter: AnswerFilter | undefined, limit: number): Promise<string[]> {
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store().answers.list(filter, { limit, ...(cursor === undefined ? {} : { cursor }) });
      expect(page.items.length).toBeLessThanOrEqual(limit);
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return ids;
  }

  test("has the last recorded first, page by page", async () => {
    const ids: string[] = [];
    for (let n = 0; n < 7; n++) ids.unshift((await record("ungrounded")).id);
    for (const limit of [1, 3, 6, 7, 8]) expect(await all(undefined, limit)).toEqual(ids);
    expect(await store().answers.list({}, { limit: 7 })).not.toHaveProperty("nextCursor");
  });

  test("is by outcome, one or several, and by model", async () => {
    const grounded = await record("grounded", "", "m-1");
    const refused = await record("refused", "", "m-2");
    const ungrounded = await record("ungrounded", "", "m-1");
    const ids = (...answers: Answer[]): string[] => answers.map(({ id }) => id);
    expect(await all({ outcome: "grounded" }, 1)).toEqual(ids(grounded));
    expect(await all({ outcome: ["refused", "grounded"] }, 1)).toEqual(ids(refused, grounded));
    expect(await all({ outcome: "ungrounded", model: "m-1" }, 5)).toEqual(ids(ungrounded));
    expect(await all({ outcome: "refused", model: "m-1" }, 5)).toEqual([]);
    expect(await all({ model: "m-1" }, 1)).toEqual(ids(ungrounded, grounded));
  });

  test("is by time, in milliseconds or ISO 8601: from then on, and before then", async () => {
    const one = await record("ungrounded");
    const later = one.createdAt + 1;
    expect(await all({ createdAfter: one.createdAt }, 5)).toEqual([one.id]);
    expect(await all({ createdAfter: later }, 5)).toEqual([]);
    expect(await all({ createdBefore: later }, 5)).toEqual([one.id]);
    expect(await all({ createdBefore: one.createdAt }, 5)).toEqual([]);
    expect(await all({ createdAfter: new Date(one.createdAt).toISOString(), createdBefore: later }, 5)).toEqual([
      one.id,
    ]);
    expect(await all({ createdAfter: "2001-01-01", createdBefore: "2001-01-02" }, 5)).toEqual([]);
  });

  test("is by conversation", async () => {
    const { id: sessionId } = await store().chat.createSession();
    await record("ungrounded");
    const { id } = await store().answers.record({ query: "q", mode: "vector", text: "", sessionId });
    expect(await all({ sessionId }, 5)).toEqual([id]);
    expect(await all({ sessionId: "unknown" }, 5)).toEqual([]);
  });

  test("goes on where a page ended when answers come and go in between", async () => {
    const answers: Answer[] = [];
    for (let n = 0; n < 5; n++) answers.unshift(await record("ungrounded"));
    const first = await store().answers.list(undefined, { limit: 2 });
    await record("ungrounded");
    await store().answers.delete(answers[1]!.id);
    const second = await store().answers.list(undefined, { cursor: first.nextCursor! });
    expect(second.items).toEqual(answers.slice(2));
  });

  test("ends a page early where its texts are long, and the next one goes on", async () => {
    for (let n = 0; n < 18; n++) await record("ungrounded", "x".repeat(1024 * 1024));
    const first = await store().answers.list();
    expect(first.items).toHaveLength(16);
    expect((await store().answers.list(undefined, { cursor: first.nextCursor! })).items).toHaveLength(2);
  });

  test("takes a cursor for the same filter, in whatever order it is written, and no other", async () => {
    for (let n = 0; n < 3; n++) await record("refused");
    const { nextCursor } = await store().answers.list({ outcome: ["refused", "grounded"] }, { limit: 1 });
    const page = { cursor: nextCursor! };
    expect((await store().answers.list({ outcome: ["grounded", "refused"] }, page)).items).toHaveLength(2);
    const refused = { code: "INVALID_INPUT", message: expect.stringContaining("another list") as string };
    await expect(store().answers.list({ outcome: "refused" }, page)).rejects.toMatchObject(refused);
    await expect(store().answers.list({}, page)).rejects.toMatchObject(refused);
    await expect(store().chat.listSessions(page)).rejects.toMatchObject(refused);
  });
}
