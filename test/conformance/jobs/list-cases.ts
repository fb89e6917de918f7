import { expect, test } from "vitest";
import type { Job, JobFilter, Jobs } from "../../../src/contracts/jobs.ts";

/** Lists of jobs, and the pages of them. */
export function jobListCases(jobs: () => Jobs): void {
  async function create(...kinds: string[]): Promise<Job[]> {
    const made: Job[] = [];
    for (const kind of kinds) made.push(await jobs().create(kind));
    return made;
  }
  async function all(filter: JobFilter | undefined, limit: number): Promise<Job[]> {
    const seen: Job[] = [];
    let cursor: string | undefined;
    do {
      const page = await jobs().list(filter, cursor === undefined ? { limit } : { limit, cursor });
      expect(page.items.length).toBeLessThanOrEqual(limit);
      seen.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return seen;
  }
  const kinds = (list: readonly Job[]): string[] => list.map(({ kind }) => kind);

  test("lists no jobs where there are none", async () => {
    expect(await jobs().list()).toEqual({ items: [] });
  });

  test("lists the newest first, whatever happens to them, page by page", async () => {
    const [first] = await create("a", "b", "c", "d", "e");
    await jobs().updateProgress(first!.id, { done: 1 });
    for (const limit of [1, 2, 4, 5, 6]) expect(kinds(await all(undefined, limit))).toEqual(["e", "d", "c", "b", "a"]);
    expect((await jobs().list()).items[4]).toEqual(await jobs().get(first!.id));
  });

  test("lists 50 jobs a page unless told otherwise", async () => {
    await create(...Array.from({ length: 52 }, () => "a"));
    const page = await jobs().list();
    expect(page.items).toHaveLength(50);
    expect((await jobs().list({}, { cursor: page.nextCursor! })).items).toHaveLength(2);
  });

  test("lists jobs of a kind, of a status, of a time, and of all of it", async () => {
    const [a, b, c, d] = await create("one", "two", "one", "two");
    await jobs().finish(a!.id, "completed");
    await jobs().finish(b!.id, "failed", "no");
    const ids = async (filter: JobFilter): Promise<string[]> => (await all(filter, 1)).map(({ id }) => id);
    expect(await ids({ kind: "one" })).toEqual([c!.id, a!.id]);
    expect(await ids({ status: "running" })).toEqual([d!.id, c!.id]);
    expect(await ids({ status: "failed" })).toEqual([b!.id]);
    expect(await ids({ status: "interrupted" })).toEqual([]);
    expect(await ids({ kind: "two", status: "running" })).toEqual([d!.id]);
    expect(await ids({ kind: "three" })).toEqual([]);
    expect(await ids({ createdAfter: a!.createdAt })).toHaveLength(4);
    expect(await ids({ createdAfter: d!.createdAt + 1 })).toEqual([]);
    expect(await ids({ createdBefore: a!.createdAt })).toEqual([]);
    expect(await ids({ createdBefore: d!.createdAt + 1, kind: "two" })).toEqual([d!.id, b!.id]);
    expect(await ids({ createdAfter: "2020-01-31", createdBefore: "2020-02-01T00:00Z" })).toEqual([]);
  });

  test("goes on after the last of the page before when jobs come, go and end", async () => {
    const [a, b, c, d] = await create("a", "b", "c", "d");
    const first = await jobs().list({}, { limit: 2 });
    expect(kinds(first.items)).toEqual(["d", "c"]);
    await jobs().finish(c!.id, "completed");
    await jobs().delete(c!.id);
    await jobs().finish(d!.id, "failed");
    await jobs().finish(a!.id, "failed");
    await create("e");
    const second = await jobs().list({}, { limit: 9, cursor: first.nextCursor! });
    expect(second.items.map(({ id }) => id)).toEqual([b!.id, a!.id]);
  });

  test("takes a cursor for the same filter, and no other", async () => {
    await create("a", "a", "a");
    const { nextCursor: cursor = "" } = await jobs().list({ kind: "a" }, { limit: 1 });
    expect((await jobs().list({ kind: "a" }, { cursor })).items).toHaveLength(2);
    for (const filter of [undefined, { kind: "b" }, { kind: "a", status: "running" }] as const) {
      await expect(jobs().list(filter, { cursor })).rejects.toMatchObject({ code: "INVALID_INPUT", operation: "list" });
    }
  });
}
