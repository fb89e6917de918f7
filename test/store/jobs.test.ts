import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Job, JobFilter } from "../../src/contracts/jobs.ts";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { IngestFile, Store } from "../../src/contracts/store.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import { type EmbeddingStore, openEmbeddingStore } from "../support/open-embedding-store.ts";
import { openTestStore } from "../support/open-test-store.ts";
import { openSnapshotStore } from "../support/snapshot-store-case.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { flatVectors } from "../support/vector-stores.ts";

const TEST_MODEL = { modelId: "test", modelVersion: "1", dimensions: 16 };

function files(count: number): IngestFile[] {
  return Array.from({ length: count }, (_, n) => ({ path: `${n}.md`, content: `# Note ${n}\n\nKiln ${n} glows.\n` }));
}

/** Hands out files, and then waits for ever: the ingest goes on until it is ended. */
async function* endless(count: number): AsyncGenerator<IngestFile> {
  yield* files(count);
  await new Promise<never>(() => {});
}

function databaseFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "lodestore-jobs-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "lodestore.db");
}

async function only({ jobs }: Store, filter: JobFilter = {}): Promise<Job> {
  const { items } = await jobs.list(filter);
  expect(items).toHaveLength(1);
  return items[0]!;
}

/** What work rejects with; `undefined` where it resolves. */
function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Waits until a job meets the filter. */
async function untilThere({ jobs }: Store, filter: JobFilter): Promise<Job> {
  for (;;) {
    const [job] = (await jobs.list(filter)).items;
    if (job !== undefined) return job;
    await nextTurn();
  }
}

async function withEmbedder(embedder = new TestEmbedder(), path?: string): Promise<EmbeddingStore> {
  const place = path === undefined ? {} : { path };
  const opened = await openEmbeddingStore({ vectors: flatVectors, embedder, ...place });
  onTestFinished(() => opened.store.close());
  return opened;
}

describe("the job of an ingest", () => {
  test("says what was asked for and what it came to", async () => {
    const { store, db } = await openTestStore();
    const origin = { folder: "docs 窯", deep: { n: 1 } };
    const report = await store.ingest(files(3), { origin, total: 3, sweep: { prefix: "docs/" }, maxFileBytes: 4096 });
    const job = await only(store);
    expect(job).toMatchObject({
      id: report.jobId,
      kind: "ingest",
      status: "completed",
      error: null,
      attempt: 1,
      payload: { origin, total: 3, sweep: { prefix: "docs/" }, maxFileBytes: 4096, embed: "background" },
      progress: {
        runId: report.runId,
        done: 3,
        total: 3,
        added: 3,
        failed: 0,
        removed: 0,
        chunks: 3,
        currentPath: null,
      },
    });
    expect(job.finishedAt).toBeGreaterThanOrEqual(job.createdAt);
    expect(await db.get("SELECT status FROM ingest_runs WHERE run_id = $1", [report.runId])).toEqual({
      status: "completed",
    });
    await store.close();
  });

  test("ends with the last commit of its documents: a document costs one commit, with its job", async () => {
    const db = await openSqlNode({ path: ":memory:", functions: storeFunctions });
    const writes: string[] = [];
    const watched: SqlDatabase = Object.assign(Object.create(db) as SqlDatabase, {
      run: (sql: string, params?: never[]) => {
        writes.push(sql);
        return db.run(sql, params);
      },
      transaction: (body: never) => {
        writes.push("transaction");
        return db.transaction(body);
      },
    });
    for (const name of [
      "all",
      "get",
      "iterate",
      "runMany",
      "exec",
      "capabilities",
      "image",
      "imageFrom",
      "close",
    ] as const)
      Object.assign(watched, { [name]: (db[name] as (...args: never[]) => unknown).bind(db) });
    const store = await createStore({ db: watched, blobs: new SqlBlobStore(db) });
    writes.length = 0;
    const { jobId } = await store.ingest(files(1));
    expect(writes).toEqual(["transaction"]);
    expect(await store.jobs.get(jobId)).toMatchObject({ status: "completed", progress: { added: 1 } });
    await store.close();
  });

  test("is seen while the ingest waits for its source, and cancelled from elsewhere", async () => {
    const { store } = await openTestStore();
    const running = store.ingest(endless(0));
    const refused = failureOf(running);
    const { id } = await untilThere(store, { kind: "ingest", status: "running" });
    expect(await store.jobs.cancel(id)).toMatchObject({ id, cancelRequestedAt: expect.any(Number) as number });
    expect(await refused).toMatchObject({ code: "ABORTED" });
    expect(await store.jobs.get(id)).toMatchObject({ status: "cancelled", error: { code: "ABORTED" } });
    await store.close();
  });

  test("keeps what is in when it is cancelled, and goes on with the same files", async () => {
    const { store } = await openTestStore();
    const running = store.ingest(endless(70), { origin: { folder: "docs" }, chunking: { targetTokens: 64 } });
    const refused = failureOf(running);
    const { id, progress } = await untilThere(store, { kind: "ingest" });
    expect(progress?.["added"]).toBeGreaterThan(0);
    await store.jobs.cancel(id);
    expect(await refused).toMatchObject({ code: "ABORTED" });
    const { documents } = await store.stats();
    expect(documents).toBeGreaterThan(0);
    const seen: Record<string, unknown>[] = [];
    const job = await store.jobs.resume(id, { source: files(70), onProgress: (now) => seen.push(now) });
    expect(job).toMatchObject({
      id,
      status: "completed",
      attempt: 2,
      error: null,
      cancelRequestedAt: null,
      payload: { origin: { folder: "docs" }, chunking: { targetTokens: 64 } },
      progress: { added: 70 - documents, skipped: documents },
    });
    expect(seen.at(-1)).toMatchObject({ added: 70 - documents, skipped: documents });
    expect((await store.stats()).documents).toBe(70);
    expect(await only(store)).toEqual(job);
    await store.close();
  });

  test("is cancelled by the signal of the ingest, and fails with its source", async () => {
    const { store } = await openTestStore();
    const stop = new AbortController();
    const running = store.ingest(endless(64), { signal: stop.signal });
    const refused = failureOf(running);
    const { id } = await untilThere(store, { kind: "ingest" });
    stop.abort();
    expect(await refused).toMatchObject({ code: "ABORTED" });
    expect(await store.jobs.get(id)).toMatchObject({ status: "cancelled", cancelRequestedAt: null });
    const broken = (async function* (): AsyncGenerator<IngestFile> {
      yield* files(1);
      throw new Error("the disk is gone");
    })();
    await expect(store.ingest(broken)).rejects.toThrow("the disk is gone");
    const [failed] = (await store.jobs.list()).items;
    expect(failed).toMatchObject({ status: "failed", error: { code: null, message: "the disk is gone" } });
    await store.close();
  });

  test("is not made where nothing was begun", async () => {
    const { store } = await openTestStore();
    await expect(store.ingest(files(1), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
    await expect(store.ingest(files(1), { embed: "wait" })).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(store.ingest(files(1), { origin: "docs" as never })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect((await store.jobs.list()).items).toEqual([]);
    await store.close();
  });

  test("is resumed with files alone, and while it runs not at all", async () => {
    const { store } = await openTestStore();
    const stop = new AbortController();
    const running = store.ingest(endless(64), { signal: stop.signal });
    const refused = failureOf(running);
    const { id } = await untilThere(store, { kind: "ingest" });
    await expect(store.jobs.resume(id, { source: files(1) })).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(store.jobs.updateProgress(id, {})).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(store.jobs.finish(id, "completed")).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(store.jobs.delete(id)).rejects.toMatchObject({ code: "CONFLICT" });
    stop.abort();
    expect(await refused).toMatchObject({ code: "ABORTED" });
    await expect(store.jobs.resume(id)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(await store.jobs.get(id)).toMatchObject({ status: "cancelled", attempt: 1 });
    await store.close();
  });

  test("goes on until the embedding that it waits for has ended", async () => {
    const embedder = new TestEmbedder();
    const { store } = await withEmbedder(embedder);
    let during: Job | undefined;
    embedder.before = async () => {
      during ??= await only(store, { kind: "ingest" });
    };
    const { jobId, embedding } = await store.ingest(files(2), { embed: "wait" });
    expect(during).toMatchObject({ id: jobId, status: "running", progress: { added: 2 } });
    expect(await store.jobs.get(jobId)).toMatchObject({
      status: "completed",
      progress: { embedding: { done: 2, total: 2 } },
    });
    expect(await only(store, { kind: "embed" })).toMatchObject({
      id: (embedding as { jobId: string }).jobId,
      status: "completed",
    });
  });
});

describe("the job of a run of embeddings", () => {
  test("says which generation it makes and what it came to; a run that finds nothing to do makes none", async () => {
    const { store } = await withEmbedder();
    await store.ingest(files(5), { embed: "off" });
    const { jobId } = await store.embeddings.run();
    expect(await only(store, { kind: "embed" })).toMatchObject({
      id: jobId,
      status: "completed",
      payload: TEST_MODEL,
      progress: { done: 5, total: 5, embedded: 5, failed: 0 },
    });
    expect((await store.embeddings.run()).jobId).toBeNull();
    await only(store, { kind: "embed" });
    expect((await store.stats()).jobs).toEqual({ running: 0, completed: 2, failed: 0, cancelled: 0, interrupted: 0 });
  });

  test("is cancelled for everybody who waits for it, and resumed from where it was", async () => {
    const embedder = new TestEmbedder("1", 4);
    const { store } = await withEmbedder(embedder);
    await store.ingest(files(12), { embed: "off" });
    embedder.before = async () => {
      if (embedder.calls < 2) return;
      embedder.before = () => undefined;
      const { id } = await only(store, { kind: "embed", status: "running" });
      await store.jobs.cancel(id);
    };
    const aborted = { code: "ABORTED" };
    const waiting = [store.embeddings.run(), store.embeddings.run()].map(failureOf);
    expect(await Promise.all(waiting)).toMatchObject([aborted, aborted]);
    const cancelled = await only(store, { kind: "embed" });
    expect(cancelled).toMatchObject({ status: "cancelled", error: { code: "ABORTED" }, attempt: 1 });
    const { committed } = await store.embeddings.status();
    expect(committed).toBeGreaterThan(0);
    expect(committed).toBeLessThan(12);
    const done = await store.jobs.resume(cancelled.id);
    expect(done).toMatchObject({ status: "completed", attempt: 2, progress: { done: 12, embedded: 12 - committed } });
    await only(store, { kind: "embed" });
  });

  test("fails with what the embedder throws", async () => {
    const embedder = new TestEmbedder();
    const { store } = await withEmbedder(embedder);
    await store.ingest(files(2), { embed: "off" });
    embedder.before = () => {
      throw new Error("the model is gone");
    };
    await expect(store.embeddings.run()).rejects.toThrow("the model is gone");
    const failed = await only(store, { kind: "embed" });
    expect(failed).toMatchObject({
      status: "failed",
      error: { message: expect.stringContaining("model is gone") as string },
    });
    embedder.before = () => undefined;
    expect(await store.jobs.resume(failed.id)).toMatchObject({ status: "completed", attempt: 2 });
  });

  test("is resumed by the same embedder alone, and not while another is at it", async () => {
    const path = databaseFile();
    const stop = new AbortController();
    const first = await openEmbeddingStore({ vectors: flatVectors, embedder: new TestEmbedder("1", 4), path });
    await first.store.ingest(files(12), { embed: "off" });
    const run = first.store.embeddings.run({ signal: stop.signal, onProgress: () => stop.abort() });
    await expect(run).rejects.toMatchObject({ code: "ABORTED" });
    const { id } = await only(first.store, { kind: "embed" });
    await first.store.close();
    const none = await openTestStore(path);
    await expect(none.store.jobs.resume(id)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await none.store.close();
    const embedder = new TestEmbedder("2");
    const { store } = await withEmbedder(embedder, path);
    await expect(store.jobs.resume(id)).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("version 1") as string,
    });
    expect(await store.jobs.get(id)).toMatchObject({ status: "cancelled", attempt: 1 });
    let refused: unknown;
    embedder.before = async () => {
      const [own] = (await store.jobs.list({ status: "running" })).items;
      refused ??= await store.jobs.resume(own?.id ?? "").catch((error: unknown) => error);
    };
    await store.embeddings.run();
    expect(refused).toMatchObject({ code: "CONFLICT" });
  });
});

describe("the job of a reindex", () => {
  async function indexed(): Promise<EmbeddingStore> {
    const opened = await openEmbeddingStore({
      vectors: (db) => openSnapshotStore(db, new MemoryBlobStore()),
      embedder: new TestEmbedder(),
    });
    onTestFinished(() => opened.store.close());
    await opened.store.ingest(files(40), { embed: "wait" });
    return opened;
  }

  test("says what it came to; one that finds no index makes none", async () => {
    const { store } = await withEmbedder();
    expect(await store.embeddings.reindex()).toMatchObject({ jobId: null, indexes: [] });
    await expect(store.embeddings.reindex({ modelId: "other" })).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect((await store.jobs.list()).items).toEqual([]);
    const full = (await indexed()).store;
    const { jobId } = await full.embeddings.reindex({ modelId: "test" });
    expect(await only(full, { kind: "reindex" })).toMatchObject({
      id: jobId,
      status: "completed",
      payload: { modelId: "test" },
      progress: { indexesDone: 1, indexes: 1, vectors: 40 },
    });
  });

  test("is cancelled while an index is made, and resumed", async () => {
    const { store } = await indexed();
    let asked: Promise<Job> | undefined;
    const run = store.embeddings.reindex({
      onProgress: () => {
        asked ??= only(store, { kind: "reindex", status: "running" }).then(({ id }) => store.jobs.cancel(id));
      },
    });
    const [outcome] = await Promise.allSettled([run]);
    const { id } = (await asked)!;
    const job = await store.jobs.get(id);
    // The index may be done when it is asked for; nothing in between.
    if (outcome.status === "fulfilled") expect(job?.status).toBe("completed");
    else {
      expect(outcome.reason).toMatchObject({ code: "ABORTED" });
      expect(job?.status).toBe("cancelled");
      expect(await store.jobs.resume(id)).toMatchObject({ status: "completed", attempt: 2 });
    }
    expect((await store.search({ text: "kiln 7", mode: "vector", k: 3 })).hits).toHaveLength(3);
  });

  test("is cancelled at its first progress by the signal that resumed it", async () => {
    const { store } = await indexed();
    const stop = new AbortController();
    await expect(
      store.embeddings.reindex({ signal: stop.signal, onProgress: () => stop.abort() }),
    ).rejects.toMatchObject({ code: "ABORTED" });
    const { id } = await only(store, { kind: "reindex" });
    const again = new AbortController();
    await expect(
      store.jobs.resume(id, { signal: again.signal, onProgress: () => again.abort() }),
    ).rejects.toMatchObject({ code: "ABORTED" });
    expect(await store.jobs.get(id)).toMatchObject({ status: "cancelled", attempt: 2 });
    expect(await store.jobs.resume(id)).toMatchObject({ status: "completed", attempt: 3 });
  });
});

describe("jobs that nobody works on any more", () => {
  test("are interrupted when the store is closed, and resumed in the next one", async () => {
    const path = databaseFile();
    const first = await openTestStore(path);
    const own = await first.store.jobs.create("transcribe", { path: "talk.wav" });
    const running = first.store.ingest(endless(64));
    const refused = failureOf(running);
    const { id } = await untilThere(first.store, { kind: "ingest" });
    await first.store.close();
    expect(await refused).toMatchObject({ code: "CLOSED" });
    const { store } = await openTestStore(path);
    // They were marked when the store was closed; this open found none that ran.
    expect((await store.openReport()).interruptedJobs).toEqual([]);
    expect(await store.jobs.get(id)).toMatchObject({
      status: "interrupted",
      error: { code: "CLOSED" },
      finishedAt: null,
    });
    expect(await store.jobs.get(own.id)).toMatchObject({ status: "interrupted", error: { code: "OWNER_LOST" } });
    await expect(store.jobs.updateProgress(own.id, {})).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("resume it first") as string,
    });
    expect(await store.jobs.resume(own.id)).toMatchObject({
      status: "running",
      attempt: 2,
      payload: { path: "talk.wav" },
    });
    const { documents } = await store.stats();
    expect(await store.jobs.resume(id, { source: files(64) })).toMatchObject({
      status: "completed",
      progress: { skipped: documents },
    });
    await store.close();
  });

  test("are marked by the next open for writing, which names them, and by none for reading", async () => {
    const path = databaseFile();
    const first = await openTestStore(path);
    const made = [await first.store.jobs.create("a"), await first.store.jobs.create("b")];
    // As a process leaves them that is gone.
    await first.db.close();
    const readOnly = await openSqlNode({ path, functions: storeFunctions, readOnly: true });
    const reading = await createStore({ db: readOnly, blobs: new SqlBlobStore(readOnly), readOnly: true });
    expect((await reading.openReport()).interruptedJobs).toEqual([]);
    expect((await reading.jobs.list({ status: "running" })).items).toEqual(made.toReversed());
    const refused = { code: "UNSUPPORTED" };
    await expect(reading.jobs.create("c")).rejects.toMatchObject(refused);
    await expect(reading.jobs.cancel(made[0]!.id)).rejects.toMatchObject(refused);
    await reading.close();
    const { store } = await openTestStore(path);
    expect((await store.openReport()).interruptedJobs).toEqual(made.map(({ id, kind }) => ({ id, kind })));
    expect(await store.jobs.cancel(made[0]!.id)).toMatchObject({
      status: "cancelled",
      finishedAt: expect.any(Number) as number,
    });
    expect(await store.jobs.get(made[1]!.id)).toMatchObject({ status: "interrupted", finishedAt: null });
    await store.close();
  });

  test("are cancelled where they were asked to end, by a close or a crash that came first", async () => {
    const path = databaseFile();
    const first = await openTestStore(path);
    const refused = failureOf(first.store.ingest(endless(64)));
    const { id } = await untilThere(first.store, { kind: "ingest" });
    const asked = first.store.jobs.cancel(id);
    await Promise.all([asked, first.store.close(), refused]);
    const second = await openTestStore(path);
    expect(await second.store.jobs.get(id)).toMatchObject({
      status: "cancelled",
      finishedAt: expect.any(Number) as number,
    });
    await second.db.run("UPDATE jobs SET status = 'running', finished_at = NULL WHERE job_id = $1", [id]);
    await second.db.close();
    const { store } = await openTestStore(path);
    expect((await store.openReport()).interruptedJobs).toEqual([]);
    expect(await store.jobs.get(id)).toMatchObject({
      status: "cancelled",
      error: { code: "ABORTED" },
      finishedAt: expect.any(Number) as number,
    });
    await store.close();
  });

  test("are taken over by the embedding that goes on when the store opens", async () => {
    const path = databaseFile();
    const embedder = new TestEmbedder("1", 4);
    const first = await openEmbeddingStore({ vectors: flatVectors, embedder, path });
    await first.store.ingest(files(12), { embed: "off" });
    embedder.before = async () => {
      if (embedder.calls > 1) void first.store.close();
    };
    await expect(first.store.embeddings.run()).rejects.toMatchObject({ code: "CLOSED" });
    await first.store.close();
    const second = await openEmbeddingStore({
      vectors: flatVectors,
      embedder: new TestEmbedder(),
      path,
      embedOnOpen: true,
    });
    const { id } = await untilThere(second.store, { kind: "embed", status: "completed" });
    expect(await only(second.store, { kind: "embed" })).toMatchObject({ id, attempt: 2, progress: { done: 12 } });
    // One that had nothing left to do when it was interrupted is completed, too.
    await second.db.run("UPDATE jobs SET status = 'running', finished_at = NULL WHERE job_id = $1", [id]);
    await second.db.close();
    const third = await openEmbeddingStore({
      vectors: flatVectors,
      embedder: new TestEmbedder(),
      path,
      embedOnOpen: true,
    });
    expect((await third.store.openReport()).interruptedJobs).toEqual([{ id, kind: "embed" }]);
    await untilThere(third.store, { kind: "embed", status: "completed" });
    expect(await only(third.store, { kind: "embed" })).toMatchObject({
      id,
      attempt: 3,
      progress: { done: 12, embedded: 0 },
    });
    await third.store.close();
  });
});

test("of each kind the newest 1,000 jobs that do not run are kept", async () => {
  const path = databaseFile();
  const { store, db } = await openTestStore(path);
  await db.runMany(
    `INSERT INTO jobs (job_id, kind, status, payload, sequence, created_at, updated_at) VALUES ($1, $2, $3, '{}', $4, 1, 1)`,
    Array.from({ length: 2200 }, (_, n) => [
      `job-${n}`,
      n % 2 === 0 ? "a" : "b",
      n < 10 ? "running" : "completed",
      n + 1,
    ]),
  );
  const counts = (): Promise<object[]> =>
    db.all("SELECT kind, status, count(*) AS n FROM jobs GROUP BY 1, 2 ORDER BY 1, 2");
  for (let n = 0; n < 64; n++) await store.jobs.create("a");
  expect(await counts()).toEqual([
    { kind: "a", status: "completed", n: 1000 },
    { kind: "a", status: "running", n: 69 },
    { kind: "b", status: "completed", n: 1095 },
    { kind: "b", status: "running", n: 5 },
  ]);
  expect(await store.jobs.get("job-198")).toBeUndefined();
  expect(await store.jobs.get("job-200")).toBeDefined();
  await db.close();
  const again = await openTestStore(path);
  const { jobs } = await again.store.stats();
  // Opening interrupts what ran; of those, too, the oldest go.
  expect(jobs).toEqual({ running: 0, completed: 936 + 1000, failed: 0, cancelled: 0, interrupted: 64 });
  await again.store.close();
});
