import { afterAll, expect, onTestFinished, test } from "vitest";
import { deleteStore, openStore, type Store } from "../../src/browser.ts";
import { deleteOpfsStore } from "../../src/drivers/sql-opfs.ts";
import { connect, type Connection } from "../../src/rpc/client.ts";
import { workerEndpoint } from "../../src/rpc/endpoint.ts";
import { answersConformance } from "../conformance/answers.ts";
import { evaluationsConformance } from "../conformance/evaluations.ts";
import { EVAL_FILES, EVAL_SUITE } from "../support/eval-corpus.ts";
import type { ChatHost } from "./chat-opfs-worker.ts";

let names = 0;
const freshName = (): string => `evaluations-${Date.now()}-${names++}`;

let shared: Promise<Connection<ChatHost>> | undefined;

afterAll(async () => (await shared)?.terminate());

async function openShared(): Promise<{ store: Store; close(): Promise<void> }> {
  shared ??= connect<ChatHost>(
    workerEndpoint(new Worker(new URL("./chat-opfs-worker.ts", import.meta.url), { type: "module" })),
  );
  const name = freshName();
  const store = await (await shared).proxy.open(name);
  const close = async (): Promise<void> => {
    await store.close();
    await deleteOpfsStore(name);
  };
  return { store, close };
}

answersConformance("on sql-opfs, in a worker", openShared);
evaluationsConformance("on sql-opfs, in a worker", openShared);

test("answers, suites and runs are there when the store of a browser is opened again, and a run that was cut off is interrupted", async () => {
  const name = freshName();
  onTestFinished(() => deleteStore({ name }));
  let worker: Worker | undefined;
  const createWorker = (): Worker =>
    (worker = new Worker(new URL("../../src/worker.ts", import.meta.url), { type: "module" }));
  const first = await openStore({ name, createWorker, embedder: { kind: "hashing", dimensions: 64 } });
  await first.ingest(EVAL_FILES, { embed: "wait" });
  await first.evaluations.putSuite(EVAL_SUITE);
  const run = await first.evaluations.run("kilns", { search: { mode: "hybrid" } });
  expect(run).toMatchObject({ status: "completed", config: { model: { dimensions: 64 } } });
  const answer = await first.answers.record({ query: "q", mode: "hybrid", text: "a" });
  const queries = Array.from({ length: 10_000 }, (_, n) => ({ id: `${n}`, text: "kiln", expected: ["a.md"] }));
  await new Promise<void>((resolve, reject) => {
    first.evaluations.run({ name: "long", queries }, { onProgress: () => resolve() }).catch(reject);
  }).catch(() => undefined);
  worker?.terminate();
  const again = await openStore({ name });
  const [long, short] = (await again.evaluations.listRuns()).items;
  expect(long).toMatchObject({ suite: "long", status: "interrupted", aggregates: null });
  expect(short).toEqual(run);
  expect((await again.answers.list()).items).toEqual([answer]);
  expect(await again.check()).toMatchObject({ ok: true });
  await again.close();
});
