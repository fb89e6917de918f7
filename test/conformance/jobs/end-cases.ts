import { expect, test } from "vitest";
import type { Job, JobEnd, Jobs, JobStatus } from "../../../src/contracts/jobs.ts";

const CONFLICT = { code: "CONFLICT", capability: "jobs" };
const NOT_FOUND = { code: "NOT_FOUND", capability: "jobs" };

/** How jobs end, and what can be done with those that have. */
export function jobEndCases(jobs: () => Jobs): void {
  /** A job of the caller's that has come to an end. */
  async function ended(status: JobEnd): Promise<Job> {
    const { id } = await jobs().create("work", { n: 1 });
    await jobs().updateProgress(id, { done: 7 });
    return jobs().finish(id, status);
  }

  test.each<JobEnd>(["completed", "failed", "cancelled"])(
    "ends a job that %s, which keeps what it was",
    async (status) => {
      const before = Date.now();
      const job = await ended(status);
      expect(job).toMatchObject({ status, payload: { n: 1 }, progress: { done: 7 }, error: null, attempt: 1 });
      expect(job.finishedAt).toBeGreaterThanOrEqual(before);
      expect(await jobs().get(job.id)).toEqual(job);
    },
  );

  test("keeps why a job failed", async () => {
    const { id } = await jobs().create("work");
    const job = await jobs().finish(id, "failed", "the kiln is cold 窯");
    expect(job.error).toEqual({ code: null, message: "the kiln is cold 窯" });
    expect(await jobs().get(id)).toEqual(job);
  });

  test.each<JobEnd>(["completed", "failed", "cancelled"])(
    "takes no step with a job that %s, and says so",
    async (status) => {
      const { id } = await ended(status);
      const job = await jobs().get(id);
      await expect(jobs().updateProgress(id, { done: 8 })).rejects.toMatchObject(CONFLICT);
      await expect(jobs().finish(id, "completed")).rejects.toMatchObject(CONFLICT);
      if (status !== "cancelled") await expect(jobs().cancel(id)).rejects.toMatchObject(CONFLICT);
      expect(await jobs().get(id)).toEqual(job);
    },
  );

  test("asks a job to end, which whoever works on it learns, and ends it then", async () => {
    const { id } = await jobs().create("work");
    expect((await jobs().updateProgress(id, { done: 1 })).cancelRequestedAt).toBeNull();
    const asked = await jobs().cancel(id);
    expect(asked).toMatchObject({ status: "running", cancelRequestedAt: expect.any(Number) as number });
    expect(await jobs().updateProgress(id, { done: 2 })).toMatchObject({
      status: "running",
      cancelRequestedAt: asked.cancelRequestedAt,
    });
    expect(await jobs().cancel(id)).toMatchObject({ cancelRequestedAt: asked.cancelRequestedAt });
    const job = await jobs().finish(id, "cancelled");
    expect(job.status).toBe("cancelled");
    expect(await jobs().cancel(id)).toEqual(job);
  });

  test("lets a job complete that was asked to end too late", async () => {
    const { id } = await jobs().create("work");
    await jobs().cancel(id);
    expect(await jobs().finish(id, "completed")).toMatchObject({ status: "completed" });
  });

  test.each<JobEnd>(["failed", "cancelled"])(
    "goes on with a job that %s, as one more attempt at the same",
    async (status) => {
      const { id } = await ended(status);
      const again = await jobs().resume(id);
      expect(again).toMatchObject({
        id,
        status: "running",
        attempt: 2,
        payload: { n: 1 },
        progress: { done: 7 },
        error: null,
        cancelRequestedAt: null,
        finishedAt: null,
      });
      await jobs().updateProgress(id, { done: 8 });
      expect(await jobs().finish(id, "completed")).toMatchObject({ attempt: 2, progress: { done: 8 } });
    },
  );

  test("does not resume a job that runs, or has completed", async () => {
    const { id } = await jobs().create("work");
    await expect(jobs().resume(id)).rejects.toMatchObject(CONFLICT);
    await jobs().finish(id, "completed");
    await expect(jobs().resume(id)).rejects.toMatchObject(CONFLICT);
    expect((await jobs().get(id))?.attempt).toBe(1);
  });

  test("resumes a job once when that is asked twice at the same time", async () => {
    const { id } = await ended("failed");
    const asked = await Promise.allSettled([jobs().resume(id), jobs().resume(id)]);
    expect(asked.map((one) => one.status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect((await jobs().get(id))?.attempt).toBe(2);
  });

  test("ends a job once when that is asked many times at the same time", async () => {
    const { id } = await jobs().create("work");
    const ends: JobEnd[] = ["completed", "failed", "cancelled", "completed"];
    const asked = await Promise.allSettled(ends.map((status) => jobs().finish(id, status)));
    const done = asked.flatMap((one, at) => (one.status === "fulfilled" ? [ends[at]] : []));
    expect(done).toHaveLength(1);
    expect((await jobs().get(id))?.status).toBe(done[0] satisfies JobStatus | undefined);
  });

  test("deletes a job that has ended, and none that runs", async () => {
    const { id } = await ended("completed");
    const running = await jobs().create("work");
    expect(await jobs().delete(id)).toBe(true);
    expect(await jobs().delete(id)).toBe(false);
    expect(await jobs().get(id)).toBeUndefined();
    await expect(jobs().delete(running.id)).rejects.toMatchObject(CONFLICT);
    expect(await jobs().get(running.id)).toEqual(running);
  });

  test("refuses a job that is not there", async () => {
    await expect(jobs().updateProgress("unknown", {})).rejects.toMatchObject(NOT_FOUND);
    await expect(jobs().finish("unknown", "completed")).rejects.toMatchObject(NOT_FOUND);
    await expect(jobs().cancel("unknown")).rejects.toMatchObject(NOT_FOUND);
    await expect(jobs().resume("unknown")).rejects.toMatchObject(NOT_FOUND);
  });
}
