import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Job, JobFilter } from "../../src/contracts/jobs.ts";
import { type IngestFile, openStore, type Store } from "../../src/node.ts";
import { notes, openNodeStore, storeFolder } from "../support/open-node-store.ts";

async function untilThere({ jobs }: Store, filter: JobFilter): Promise<Job> {
  for (;;) {
    const [job] = (await jobs.list(filter)).items;
    if (job !== undefined) return job;
    await nextTurn();
  }
}

async function* endless(files: readonly IngestFile[]): AsyncGenerator<IngestFile> {
  yield* files;
  await new Promise<never>(() => {});
}

test("an ingest of a store in threads is seen and cancelled by its job, and resumed with files", async () => {
  const store = await openNodeStore({ readers: 2 });
  const running = store.ingest(endless(notes(70))).then(
    () => undefined,
    (error: unknown) => error,
  );
  const { id } = await untilThere(store, { kind: "ingest", status: "running" });
  await store.jobs.cancel(id);
  expect(await running).toMatchObject({ code: "ABORTED" });
  expect(await store.jobs.get(id)).toMatchObject({
    status: "cancelled",
    cancelRequestedAt: expect.any(Number) as number,
  });
  const seen: Record<string, unknown>[] = [];
  // A list, files whose content is read here, and progress cross to the thread that writes.
  const source = notes(70).map(({ path, content }) => ({
    path,
    content: async () => new TextEncoder().encode(content),
  }));
  const job = await store.jobs.resume(id, { source, onProgress: (now) => seen.push(now) });
  expect(job).toMatchObject({ status: "completed", attempt: 2 });
  expect(seen.at(-1)).toMatchObject({ done: 70 });
  expect((await store.stats()).documents).toBe(70);
});

test.each([
  { readers: 0, vectors: "hnsw" as const },
  { readers: 2, vectors: "hnsw" as const },
  { readers: 1, vectors: "flat" as const },
])("embeddings and indexes of a store in threads are made as jobs: %j", async (options) => {
  const store = await openNodeStore({ ...options, embedder: { kind: "hashing" } });
  const { jobId } = await store.ingest(notes(40), { embed: "wait" });
  const told: unknown[] = [];
  const report = await store.embeddings.reindex({ onProgress: (progress) => told.push(progress) });
  expect(report.indexes).toMatchObject([{ vectors: 40 }]);
  expect(told.length).toBeGreaterThan(0);
  const { items } = await store.jobs.list();
  expect(items.map(({ kind, status }) => [kind, status])).toEqual([
    ["reindex", "completed"],
    ["embed", "completed"],
    ["ingest", "completed"],
  ]);
  expect(items[0]).toMatchObject({ id: report.jobId, progress: { vectors: 40 } });
  expect(items[2]?.id).toBe(jobId);
  const stop = new AbortController();
  stop.abort();
  await expect(store.embeddings.reindex({ signal: stop.signal })).rejects.toMatchObject({ code: "ABORTED" });
  expect((await store.search({ text: "number7", mode: "vector", k: 3 })).hits).toHaveLength(3);
});

test("50 jobs that are made, told of and ended at once are all there, for every reader", async () => {
  const store = await openNodeStore({ readers: 2 });
  const ended = await Promise.all(
    Array.from({ length: 50 }, async (_, n) => {
      const { id } = await store.jobs.create("many", { n });
      expect((await store.jobs.get(id))?.status).toBe("running");
      await store.jobs.updateProgress(id, { done: n });
      return store.jobs.finish(id, n % 2 === 0 ? "completed" : "failed");
    }),
  );
  const { items } = await store.jobs.list({ kind: "many" }, { limit: 100 });
  expect(items).toHaveLength(50);
  for (const job of ended) expect(items).toContainEqual(job);
  expect((await store.stats()).jobs).toMatchObject({ running: 0, completed: 25, failed: 25 });
});

test("a store that is closed leaves its work interrupted, and one that is only read shows it", async () => {
  const dir = storeFolder();
  const store = await openNodeStore({ dir, readers: 1 });
  const running = store.ingest(endless(notes(70))).then(
    () => undefined,
    (error: unknown) => error,
  );
  const { id } = await untilThere(store, { kind: "ingest" });
  await using reading = await openStore({ dir, readOnly: true, vectors: "hnsw" });
  expect(await reading.jobs.get(id)).toMatchObject({ status: "running" });
  for (const refused of [reading.jobs.create("a"), reading.jobs.cancel(id), reading.embeddings.reindex()]) {
    await expect(refused).rejects.toMatchObject({ code: "UNSUPPORTED" });
  }
  await store.close();
  expect(await running).toMatchObject({ code: "CLOSED" });
  expect(await reading.jobs.get(id)).toMatchObject({ status: "interrupted", error: { code: "CLOSED" } });
});
