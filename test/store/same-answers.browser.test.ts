import { deleteStore, openStore, type SearchHit } from "lodestore/browser";
import { describe, expect, test } from "vitest";
import { commands } from "vitest/browser";
import { sharedFiles, sharedQuestions } from "../support/shared-corpus.ts";

const questions = sharedQuestions();
/** Every vector is compared with the query, */
const EXACT = { graphAbove: 1_000_000 };
/** and only those that a walk meets. */
const GRAPH = { graphAbove: 50 };

async function browserAnswers(vectors: { graphAbove: number }): Promise<SearchHit[][]> {
  const name = `answers-${Date.now()}-${vectors.graphAbove}`;
  const answers: SearchHit[][] = [];
  {
    await using store = await openStore({ name, embedder: { kind: "hashing" }, vectors });
    await store.ingest(sharedFiles(), { embed: "wait" });
    await store.embeddings.flush();
    for (const question of questions) answers.push((await store.search(question)).hits);
  }
  await deleteStore({ name });
  return answers;
}

/** Share of the exact answers' hits that are among the answers. */
function recall(exact: readonly SearchHit[][], answers: readonly SearchHit[][]): number {
  let wanted = 0;
  let found = 0;
  for (const [at, { mode }] of questions.entries()) {
    if (mode !== "vector") continue;
    const there = new Set(answers[at]?.map(({ chunkId }) => chunkId));
    wanted += exact[at]?.length ?? 0;
    found += exact[at]?.filter(({ chunkId }) => there.has(chunkId)).length ?? 0;
  }
  return found / wanted;
}

describe("the same documents in a browser and on Node", () => {
  test("have the same answers, hit by hit, where every vector is compared", { timeout: 240_000 }, async () => {
    const [here, there] = [await browserAnswers(EXACT), await commands.nodeAnswers(EXACT)];
    expect(here.flat().length).toBeGreaterThan(800);
    for (const [at, question] of questions.entries()) {
      expect({ question, hits: here[at] }).toEqual({ question, hits: there[at] });
    }
  });

  test("are found by every vector engine", { timeout: 240_000 }, async () => {
    const exact = await commands.nodeAnswers(EXACT);
    const engines = [
      await browserAnswers(GRAPH),
      await commands.nodeAnswers(GRAPH),
      await commands.nodeAnswers("flat"),
      await commands.nodeAnswers("lance"),
      await commands.nodeAnswers({ engine: "lance", indexAbove: 50 }),
    ];
    for (const answers of engines) {
      expect(recall(exact, answers)).toBeGreaterThanOrEqual(0.95);
      for (const [at, { mode }] of questions.entries()) {
        if (mode === "lexical") expect(answers[at]).toEqual(exact[at]);
      }
    }
  });
});
