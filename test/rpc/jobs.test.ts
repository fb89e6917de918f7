import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Job, JobFilter } from "../../src/contracts/jobs.ts";
import type { IngestFile, Store } from "../../src/contracts/store.ts";
import { StoreClient } from "../../src/rpc/store-client.ts";
import { openEmbeddingStore } from "../support/open-embedding-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { flatVectors } from "../support/vector-stores.ts";
import { servedHere } from "./served-here.ts";

async function untilThere({ jobs }: Store, filter: JobFilter): Promise<Job> {
  for (;;) {
    const [job] = (await jobs.list(filter)).items;
    if (job !== undefined) return job;
    await nextTurn();
  }
}

/** Two clients of one store, each at a port of its own. */
async function twoClients(embedder = new TestEmbedder()): Promise<[StoreClient, StoreClient]> {
  const { store } = await openEmbeddingStore({ vectors: flatVectors, embedder });
  return [new StoreClient(await servedHere<Store>(store)), new StoreClient(await servedHere<Store>(store))];
}

async function* endless(): AsyncGenerator<IngestFile> {
  yield { path: "a.md", content: "# A\n\nkiln" };
  await new Promise<never>(() => {});
}

const settled = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

test("an ingest is seen, cancelled and resumed from another port than it was begun at", async () => {
  const [one, other] = await twoClients();
  const running = settled(one.ingest(endless(), { origin: { from: "one" } }));
  const { id, payload } = await untilThere(other, { kind: "ingest", status: "running" });
  expect(payload).toMatchObject({ origin: { from: "one" } });
  await other.jobs.cancel(id);
  expect(await running).toMatchObject({ code: "ABORTED" });
  expect(await one.jobs.get(id)).toMatchObject({ status: "cancelled" });
  const seen: Record<string, unknown>[] = [];
  const source = [new File(["# A\n\nkiln"], "a.md"), new File(["# B\n\nglaze"], "b.md")].map((content) => ({
    path: content.name,
    content,
  }));
  const job = await other.jobs.resume(id, { source, onProgress: (now) => seen.push(now) });
  expect(job).toMatchObject({ status: "completed", attempt: 2, progress: { done: 2 } });
  expect(seen.at(-1)).toMatchObject({ done: 2 });
  expect(await one.jobs.get(id)).toEqual(job);
  await one.close();
});

test("what comes of a job reaches every subscriber at every port, from its beginning to its end", async () => {
  const [one, other] = await twoClients();
  const heard = [one, other, other].map((store) => store.subscribe({ topics: ["jobs"], since: 0 }));
  const files = Array.from({ length: 200 }, (_, n) => ({ path: `${n}.md`, content: `# Note ${n}\n\nkiln ${n}` }));
  const { jobId } = await one.ingest(files, { embed: "off" });
  for (const changes of heard) {
    const kinds: string[] = [];
    for await (const { topic, kind, id } of changes) {
      expect([topic, id]).toEqual(["jobs", jobId]);
      kinds.push(kind);
      // Whoever hears of it reads how far it is.
      if ((await other.jobs.get(id!))?.status === "completed" && kinds.length > 1) break;
    }
    expect(kinds[0]).toBe("inserted");
    expect(kinds.slice(1).every((kind) => kind === "updated")).toBe(true);
  }
  expect(await other.jobs.get(jobId)).toMatchObject({ status: "completed", progress: { done: 200 } });
  await one.close();
});

test("a run of embeddings is cancelled from another port for all who wait for it", async () => {
  const embedder = new TestEmbedder("1", 1);
  const [one, other] = await twoClients(embedder);
  await one.ingest(
    Array.from({ length: 5 }, (_, n) => ({ path: `${n}.md`, content: `# ${n}\n\nkiln ${n}` })),
    { embed: "off" },
  );
  let reached = (): void => {};
  const waits = new Promise<void>((resolve) => (reached = resolve));
  embedder.before = (_texts, { signal }) => {
    reached();
    return new Promise<void>((_resolve, reject) =>
      signal?.addEventListener("abort", () => reject(signal.reason as Error)),
    );
  };
  const runs = [settled(one.embeddings.run()), settled(other.embeddings.run())];
  await waits;
  const { id } = await untilThere(other, { kind: "embed", status: "running" });
  await other.jobs.cancel(id);
  expect(await Promise.all(runs)).toMatchObject([{ code: "ABORTED" }, { code: "ABORTED" }]);
  expect(await one.jobs.get(id)).toMatchObject({ status: "cancelled" });
  embedder.before = () => undefined;
  expect(await one.jobs.resume(id)).toMatchObject({ status: "completed", progress: { done: 5 } });
  await one.close();
});

test("a resumption is aborted from the port that asked for it", async () => {
  const [one, other] = await twoClients();
  const { id } = await one.jobs.create("own");
  await one.jobs.finish(id, "failed");
  const running = settled(one.ingest(endless()));
  const { id: ingest } = await untilThere(one, { kind: "ingest", status: "running" });
  await other.jobs.cancel(ingest);
  await running;
  const stop = new AbortController();
  const resumed = settled(other.jobs.resume(ingest, { source: endless(), signal: stop.signal }));
  await untilThere(one, { kind: "ingest", status: "running" });
  stop.abort();
  expect(await resumed).toMatchObject({ code: "ABORTED" });
  expect(await one.jobs.get(ingest)).toMatchObject({ status: "cancelled", attempt: 2 });
  await one.close();
});
