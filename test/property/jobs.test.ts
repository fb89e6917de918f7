import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Job, JobEnd, JobStatus } from "../../src/contracts/jobs.ts";
import { interruptJobs } from "../../src/store/jobs/interrupt-jobs.ts";
import { StoreJobs } from "../../src/store/jobs/store-jobs.ts";
import { JobModel } from "../support/job-model.ts";
import { sqlDatabases } from "../support/sql-databases.ts";

type Step =
  | { do: "create"; kind: string }
  | { do: "progress"; place: number; done: number }
  | { do: "finish"; place: number; status: JobEnd; error: string | undefined }
  | { do: "cancel" | "resume" | "delete"; place: number }
  | { do: "crash" };

const KINDS = ["transcribe", "tidy", "窯"];
const STATUSES: readonly JobStatus[] = ["running", "completed", "failed", "cancelled", "interrupted"];
const place = fc.nat({ max: 7 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("create" as const), kind: fc.constantFrom(...KINDS) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("progress" as const), place, done: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("finish" as const),
      place,
      status: fc.constantFrom<JobEnd>("completed", "failed", "cancelled"),
      error: fc.option(fc.constantFrom("too hot", "冷"), { nil: undefined }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom("cancel" as const, "resume" as const, "delete" as const), place }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("crash" as const) }) },
);
const filter = fc.record({
  kind: fc.option(fc.constantFrom(...KINDS), { nil: undefined }),
  status: fc.option(fc.constantFrom(...STATUSES), { nil: undefined }),
  limit: fc.integer({ min: 1, max: 4 }),
});

/** The code of the error that a step ends with; `undefined` where it does not. */
async function codeOf(taken: Promise<unknown>): Promise<unknown> {
  return taken.then(
    () => undefined,
    (error: unknown) => (error as { code: unknown }).code,
  );
}

describe.each(sqlDatabases)("jobs on $driver", ({ driver, open }) => {
  test(
    "are after any steps what a naive model is, which takes and refuses the same",
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 40, size: "max" }),
          fc.array(filter, { maxLength: 4 }),
          async (steps, filters) => {
            await using db = await open();
            const jobs = new StoreJobs(db);
            const model = new JobModel();
            for (const one of steps) {
              if (one.do === "create") {
                model.create((await jobs.create(one.kind)).id, one.kind);
                continue;
              }
              if (one.do === "crash") {
                const found = (await interruptJobs(db, "gone")).map(({ id }) => id);
                expect(found).toEqual(model.interrupt());
                continue;
              }
              const id = model.at(one.place)?.id;
              if (id === undefined) continue;
              switch (one.do) {
                case "progress":
                  expect(await codeOf(jobs.updateProgress(id, { done: one.done }))).toBe(model.progress(id, one.done));
                  break;
                case "finish": {
                  const error = one.status === "completed" ? undefined : one.error;
                  expect(await codeOf(jobs.finish(id, one.status, error))).toBe(model.finish(id, one.status, error));
                  break;
                }
                case "cancel":
                  expect(await codeOf(jobs.cancel(id))).toBe(model.cancel(id));
                  break;
                case "resume":
                  expect(await codeOf(jobs.resume(id))).toBe(model.resume(id));
                  break;
                case "delete":
                  expect(await codeOf(jobs.delete(id))).toBe(model.delete(id));
              }
            }
            for (const { kind, status, limit } of [{ kind: undefined, status: undefined, limit: 3 }, ...filters]) {
              const asked = { ...(kind === undefined ? {} : { kind }), ...(status === undefined ? {} : { status }) };
              const listed: Job[] = [];
              let cursor: string | undefined;
              do {
                const page = await jobs.list(asked, { limit, ...(cursor === undefined ? {} : { cursor }) });
                listed.push(...page.items);
                cursor = page.nextCursor;
              } while (cursor !== undefined);
              expect(listed.map((job) => JobModel.of(job))).toEqual(model.matching(kind, status));
            }
          },
        ),
        { numRuns: driver === "sql-node" ? 120 : 40 },
      );
    },
  );
});
