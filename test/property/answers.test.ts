import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AnswerFilter, AnswerOutcome } from "../../src/contracts/answers.ts";
import { SqlAnswers } from "../../src/store/answers/sql-answers.ts";
import { sqlDatabases } from "../support/sql-databases.ts";

const OUTCOMES: readonly AnswerOutcome[] = ["grounded", "ungrounded", "refused"];
const CITATION = {
  chunkId: "c",
  documentId: "d",
  title: "t",
  workspacePath: "a.md",
  headingPath: [],
  span: { kind: "line" as const, start: 1, end: 2 },
};

/** What a naive list knows of an answer. */
interface ModelAnswer {
  id: string;
  outcome: AnswerOutcome;
  model: string | null;
  createdAt: number;
}

const outcome = fc.constantFrom(...OUTCOMES);
const model = fc.constantFrom("m-1", "m-2", null);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("record" as const), outcome, model }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("delete" as const), place: fc.nat({ max: 9 }) }) },
);
const query = fc.record({
  outcome: fc.option(fc.subarray([...OUTCOMES], { minLength: 1 }), { nil: undefined }),
  model: fc.option(fc.constantFrom("m-1", "m-2", "m-3"), { nil: undefined }),
  after: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
  before: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
  limit: fc.integer({ min: 1, max: 5 }),
});

describe.each(sqlDatabases)("answers on $driver", ({ driver, open }) => {
  test("are listed as a naive list has them, whatever was recorded and deleted", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 24, size: "max" }),
        fc.array(query, { maxLength: 6 }),
        async (steps, queries) => {
          await using db = await open();
          const answers = new SqlAnswers(db);
          let kept: ModelAnswer[] = [];
          for (const [n, one] of steps.entries()) {
            if (one.kind === "record") {
              const citations = one.outcome === "grounded" ? [CITATION] : [];
              const { id } = await answers.record({
                query: "q",
                mode: "lexical",
                text: "",
                outcome: one.outcome,
                model: one.model,
                citations,
              });
              // A clock that goes back and forth: neither the order nor the cursor may depend on it.
              const createdAt = (n * 5) % 12;
              await db.run("UPDATE answers SET created_at = $2 WHERE answer_id = $1", [id, createdAt]);
              kept.unshift({ id, outcome: one.outcome, model: one.model, createdAt });
            } else if (kept.length > 0) {
              const { id } = kept[one.place % kept.length]!;
              expect(await answers.delete(id)).toBe(true);
              kept = kept.filter((answer) => answer.id !== id);
            }
          }
          for (const { outcome, model, after, before, limit } of queries) {
            const filter: AnswerFilter = {
              ...(outcome === undefined ? {} : { outcome }),
              ...(model === undefined ? {} : { model }),
              ...(after === undefined ? {} : { createdAfter: after }),
              ...(before === undefined ? {} : { createdBefore: before }),
            };
            const listed: string[] = [];
            let cursor: string | undefined;
            do {
              const page = await answers.list(filter, { limit, ...(cursor === undefined ? {} : { cursor }) });
              expect(page.nextCursor === undefined || page.items.length === limit).toBe(true);
              listed.push(...page.items.map(({ id }) => id));
              cursor = page.nextCursor;
            } while (cursor !== undefined);
            const expected = kept.filter(
              (one) =>
                (outcome?.includes(one.outcome) ?? true) &&
                (model === undefined || one.model === model) &&
                (after === undefined || one.createdAt >= after) &&
                (before === undefined || one.createdAt < before),
            );
            expect(listed).toEqual(expected.map(({ id }) => id));
          }
        },
      ),
      { numRuns: driver === "sql-node" ? 100 : 30 },
    );
  });
});
