import { expect, test } from "vitest";
import type { Jobs } from "../../../src/contracts/jobs.ts";
import { nested } from "../../support/nested.ts";

type Loose = Record<keyof Jobs, (...args: unknown[]) => Promise<unknown>>;

const LONG = "x".repeat(64 * 1024);

/** Arguments that each method refuses, with what the message names. */
const REFUSED: readonly [method: keyof Jobs, args: readonly unknown[], names: RegExp][] = [
  ["create", [], /^kind got undefined/],
  ["create", [""], /^kind got ""/],
  ["create", ["x".repeat(65)], /^kind got /],
  ["create", ["a\0b"], /^kind got /],
  ["create", ["ingest"], /kind got "ingest", .* the store's/],
  ["create", ["embed", {}], /kind got "embed"/],
  ["create", ["reindex", {}], /kind got "reindex"/],
  ["create", ["a", null], /^payload got null/],
  ["create", ["a", []], /^payload got an empty list/],
  ["create", ["a", { n: 1n }], /^payload\.n got 1n/],
  ["create", ["a", { n: Number.NaN }], /^payload\.n got NaN/],
  ["create", ["a", { text: LONG }], /^payload got .* bytes as JSON/],
  ["updateProgress", [7, {}], /^id got 7/],
  ["updateProgress", ["x"], /^progress got undefined/],
  ["updateProgress", ["x", { list: [undefined] }], /^progress\.list\[0\] got undefined/],
  ["updateProgress", ["x", { text: LONG }], /^progress got .* bytes as JSON/],
  ["finish", [undefined, "completed"], /^id got undefined/],
  ["finish", ["x", "done"], /^status got "done"; it takes one of "completed", "failed", "cancelled"/],
  ["finish", ["x", "running"], /^status got "running"/],
  ["finish", ["x", "interrupted"], /^status got "interrupted"/],
  ["finish", ["x", "completed", "why"], /^error is given/],
  ["finish", ["x", "failed", ""], /^error got ""/],
  ["finish", ["x", "failed", `${LONG}x`], /^error got /],
  ["finish", ["x", "failed", new Date(0)], /^error got an object/],
  ["get", [""], /^id got ""/],
  ["list", ["ingest"], /^filter got "ingest"/],
  ["list", [{ kinds: ["a"] }], /^filter has an unknown field "kinds"/],
  ["list", [{ kind: 1 }], /^filter\.kind got 1/],
  ["list", [{ status: "done" }], /^filter\.status got "done"/],
  ["list", [{ createdAfter: "yesterday" }], /^filter\.createdAfter got "yesterday"/],
  ["list", [{ createdBefore: Number.NaN }], /^filter\.createdBefore got NaN/],
  ["list", [{}, { limit: 0 }], /^page\.limit got 0/],
  ["list", [{}, { limit: 1001 }], /^page\.limit got 1001/],
  ["list", [{}, { cursor: "?" }], /^page\.cursor is not one/],
  ["cancel", [null], /^id got null/],
  ["resume", [{}], /^id got an object/],
  ["resume", ["x", { files: [] }], /^options has an unknown field "files"/],
  ["resume", ["x", { source: "a.md" }], /^source got "a.md"/],
  ["resume", ["x", { signal: "now" }], /^options\.signal got "now"/],
  ["resume", ["x", { onProgress: 1 }], /^options\.onProgress got 1/],
  ["delete", [""], /^id got ""/],
];

/** What is refused, and that nothing is changed by it. */
export function jobInputCases(jobs: () => Jobs): void {
  const methods = [...new Set(REFUSED.map(([method]) => method))];
  test.each(methods)("%s refuses what it does not take, and names it", async (method) => {
    const loose = jobs() as unknown as Loose;
    const { id } = await jobs().create("own");
    const before = await jobs().get(id);
    for (const [, args, message] of REFUSED.filter(([of]) => of === method)) {
      const given = args[0] === "x" ? [id, ...args.slice(1)] : args;
      await expect(loose[method](...given)).rejects.toMatchObject({
        code: "INVALID_INPUT",
        message: expect.stringMatching(message) as string,
      });
    }
    expect((await jobs().list()).items).toEqual([before]);
  });

  test.each([65, 1001, 20_000])(
    "refuses what is nested %i deep, on this side of a boundary or the other",
    async (levels) => {
      const { id } = await jobs().create("own", nested(64));
      const refused = {
        code: "INVALID_INPUT",
        message: expect.stringMatching(/levels of lists and objects/) as string,
      };
      await expect(jobs().create("own", nested(levels))).rejects.toMatchObject(refused);
      await expect(jobs().updateProgress(id, { list: [nested(levels)] })).rejects.toMatchObject(refused);
      expect((await jobs().list()).items).toHaveLength(1);
    },
  );

  test("takes no files for a job of the caller's", async () => {
    const { id } = await jobs().create("own");
    await jobs().finish(id, "failed");
    await expect(jobs().resume(id, { source: [] })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringMatching(/options\.source is given/) as string,
    });
    expect((await jobs().get(id))?.status).toBe("failed");
  });
}
