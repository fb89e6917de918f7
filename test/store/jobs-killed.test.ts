import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { Job, StoreJobKind } from "../../src/contracts/jobs.ts";
import type { IngestFile, Store } from "../../src/contracts/store.ts";
import { openFsBlobs } from "../../src/drivers/blobs-fs.ts";
import { type JobsOrder, jobFiles } from "../support/jobs-order.ts";
import { type EmbeddingStore, openEmbeddingStore } from "../support/open-embedding-store.ts";
import { openSnapshotStore } from "../support/snapshot-store-case.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { programFile } from "../support/programs.ts";

const CHILD = programFile("test/support/jobs-child.ts");

/** Works in a process until it kills itself. */
function killed(order: JobsOrder): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, JSON.stringify(order)], { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    let wrong = "";
    child.stdout.setEncoding("utf8").on("data", (data: string) => (said += data));
    child.stderr.setEncoding("utf8").on("data", (data: string) => (wrong += data));
    child.on("error", reject);
    child.on("close", (_code, signal) => {
      if (signal === "SIGKILL" && said === `killed in ${order.work}\n`) resolve();
      else reject(new Error(`the process ended by itself (${signal}): ${wrong}`));
    });
  });
}

interface Left {
  path: string;
  blobs: string;
}

async function open({ path, blobs }: Left, embedOnOpen = false): Promise<EmbeddingStore> {
  const snapshots = await openFsBlobs({ dir: blobs });
  const vectors: Parameters<typeof openEmbeddingStore>[0]["vectors"] = (db) => openSnapshotStore(db, snapshots);
  return openEmbeddingStore({ path, vectors, embedder: new TestEmbedder("1", 8), embedOnOpen });
}

/** Leaves a store in which a process was killed at its work. */
async function left(work: StoreJobKind, at: number): Promise<Left> {
  const folder = mkdtempSync(join(tmpdir(), "lodestore-jobs-killed-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const place = { path: join(folder, "lodestore.db"), blobs: join(folder, "blobs") };
  await killed({ ...place, work, at });
  return place;
}

/** The job of the work, which opening found and named, beside the caller's own. */
async function found(store: Store, kind: StoreJobKind): Promise<Job> {
  const { interruptedJobs } = await store.openReport();
  expect(interruptedJobs.map((one) => one.kind)).toEqual(["transcribe", kind]);
  const job = await store.jobs.get(interruptedJobs[1]?.id ?? "");
  expect(job).toMatchObject({ kind, attempt: 1, finishedAt: null, error: { code: "OWNER_LOST" } });
  return job!;
}

async function expectWhole(store: Store): Promise<void> {
  expect(await store.stats()).toMatchObject({ documents: 200, embeddings: { pending: 0 }, jobs: { running: 0 } });
  expect((await store.check()).findings.filter(({ ok }) => !ok)).toEqual([]);
}

test.each([65, 100, 199])("an ingest that is killed after %i files is found, marked and resumed", async (at) => {
  const place = await left("ingest", at);
  const { store } = await open(place);
  const job = await found(store, "ingest");
  expect(job).toMatchObject({ status: "interrupted", payload: { origin: { folder: "docs" }, embed: "off" } });
  const { documents } = await store.stats();
  expect(documents).toBeGreaterThan(0);
  const done = await store.jobs.resume(job.id, { source: jobFiles() });
  expect(done).toMatchObject({
    id: job.id,
    status: "completed",
    attempt: 2,
    progress: { skipped: documents, added: 200 - documents },
  });
  await expectWhole(store);
  const own = (await store.jobs.list({ kind: "transcribe" })).items[0];
  expect(own).toMatchObject({ status: "interrupted", payload: { path: "talk.wav" } });
  expect(await store.jobs.resume(own?.id ?? "")).toMatchObject({ status: "running", attempt: 2 });
  await store.close();
});

test.each([1, 9])("a run of embeddings that is killed after %i batches is found, marked and resumed", async (at) => {
  const place = await left("embed", at);
  const { store } = await open(place);
  const job = await found(store, "embed");
  expect(job.status).toBe("interrupted");
  const { committed } = await store.embeddings.status();
  expect(committed).toBeLessThan(200);
  const done = await store.jobs.resume(job.id);
  expect(done).toMatchObject({ status: "completed", attempt: 2, progress: { done: 200, embedded: 200 - committed } });
  await expectWhole(store);
  await store.close();
});

test("a run of embeddings that is killed is taken over by the next store that embeds", async () => {
  const place = await left("embed", 5);
  const { store } = await open(place, true);
  const { interruptedJobs } = await store.openReport();
  for (;;) {
    const job = await store.jobs.get(interruptedJobs[1]?.id ?? "");
    if (job?.status === "completed") break;
    await nextTurn();
  }
  expect((await store.jobs.list({ kind: "embed" })).items).toMatchObject([{ attempt: 2, progress: { done: 200 } }]);
  await expectWhole(store);
  await store.close();
});

test.each([0, 1])(
  "a reindex that is killed after progress was told %i times is found, marked and resumed",
  async (at) => {
    const place = await left("reindex", at);
    const { store } = await open(place);
    const job = await found(store, "reindex");
    const done = await store.jobs.resume(job.id);
    expect(done).toMatchObject({
      status: "completed",
      attempt: 2,
      progress: { indexesDone: 1, indexes: 1, vectors: 200 },
    });
    await expectWhole(store);
    expect((await store.search({ text: "kiln 7", mode: "vector", k: 5 })).hits).toHaveLength(5);
    await store.close();
  },
);

test("a job that is interrupted again and again counts its attempts, and ends completed", async () => {
  const place = await left("ingest", 65);
  let id = "";
  for (const attempt of [1, 2, 3]) {
    const { store, db } = await open(place);
    const { interruptedJobs } = await store.openReport();
    id = interruptedJobs.find(({ kind }) => kind === "ingest")?.id ?? "";
    expect(await store.jobs.get(id)).toMatchObject({ status: "interrupted", attempt });
    // Begun anew, and left as a process leaves it that is gone.
    const source = (async function* (): AsyncGenerator<IngestFile> {
      yield* jobFiles().slice(0, 1);
      await db.close();
    })();
    await store.jobs.resume(id, { source }).catch(() => undefined);
  }
  const { store } = await open(place);
  expect(await store.jobs.resume(id, { source: jobFiles() })).toMatchObject({ status: "completed", attempt: 5 });
  await expectWhole(store);
  await store.close();
});
