import { expect, test } from "vitest";
import type { DocumentStore } from "../../../src/contracts/documents.ts";
import type { Jobs } from "../../../src/contracts/jobs.ts";

/** Making jobs and working on them. */
export function jobWorkCases(jobs: () => Jobs, documents: () => DocumentStore): void {
  test("makes a job that runs, and returns it as it reads back", async () => {
    const before = Date.now();
    const payload = { path: "talk 窯.wav", parts: [1, 2.5, null], deep: { on: true } };
    const made = await jobs().create("transcribe", payload);
    expect(made).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      kind: "transcribe",
      status: "running",
      payload,
      progress: null,
      error: null,
      attempt: 1,
      cancelRequestedAt: null,
      createdAt: made.updatedAt,
      updatedAt: expect.any(Number) as number,
      finishedAt: null,
    });
    expect(made.createdAt).toBeGreaterThanOrEqual(before);
    expect(await jobs().get(made.id)).toEqual(made);
  });

  test("makes a job without a payload", async () => {
    expect(await jobs().create("tidy")).toMatchObject({ payload: {} });
  });

  test("returns undefined for a job that is not there", async () => {
    expect(await jobs().get("unknown")).toBeUndefined();
  });

  test("keeps what was said last of how far it is, and changes no other job", async () => {
    const other = await jobs().create("transcribe");
    const made = await jobs().create("transcribe");
    await jobs().updateProgress(made.id, { done: 1, total: 3, message: "first" });
    const told = await jobs().updateProgress(made.id, { done: 2 });
    expect(told).toEqual({ ...made, progress: { done: 2 }, updatedAt: expect.any(Number) as number });
    expect(told.updatedAt).toBeGreaterThanOrEqual(made.updatedAt);
    expect(await jobs().get(made.id)).toEqual(told);
    expect(await jobs().get(other.id)).toEqual(other);
  });

  test("gives jobs that are made at once ids and places of their own", async () => {
    const made = await Promise.all(Array.from({ length: 20 }, (_, n) => jobs().create("many", { n })));
    expect(new Set(made.map(({ id }) => id)).size).toBe(20);
    const { items } = await jobs().list({ kind: "many" });
    expect(items.map(({ payload }) => payload["n"])).toEqual(Array.from({ length: 20 }, (_, n) => 19 - n));
  });

  test("leaves the corpus revision, whatever is done", async () => {
    const revision = await documents().corpusRevision();
    const { id } = await jobs().create("a");
    await jobs().updateProgress(id, { done: 1 });
    await jobs().finish(id, "completed");
    await jobs().delete(id);
    expect(await documents().corpusRevision()).toBe(revision);
  });
}
