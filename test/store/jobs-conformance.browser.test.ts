import { afterAll, expect, onTestFinished, test } from "vitest";
import { deleteStore, openStore } from "../../src/browser.ts";
import { deleteOpfsStore } from "../../src/drivers/sql-opfs.ts";
import { connect, type Connection } from "../../src/rpc/client.ts";
import { workerEndpoint } from "../../src/rpc/endpoint.ts";
import { sendingJobs } from "../../src/rpc/sendable-jobs.ts";
import { jobsConformance } from "../conformance/jobs.ts";
import type { ChatHost } from "./chat-opfs-worker.ts";

let names = 0;
const freshName = (): string => `jobs-${Date.now()}-${names++}`;

let shared: Promise<Connection<ChatHost>> | undefined;

afterAll(async () => (await shared)?.terminate());

jobsConformance("on sql-opfs, in a worker", async () => {
  shared ??= connect<ChatHost>(
    workerEndpoint(new Worker(new URL("./chat-opfs-worker.ts", import.meta.url), { type: "module" })),
  );
  const name = freshName();
  const store = await (await shared).proxy.open(name);
  const close = async (): Promise<void> => {
    await store.close();
    await deleteOpfsStore(name);
  };
  return { jobs: sendingJobs(store.jobs), documents: store.documents, close };
});

test("an ingest whose worker is ended is interrupted when the store of a browser is opened again, and resumed", async () => {
  const name = freshName();
  onTestFinished(() => deleteStore({ name }));
  let worker: Worker | undefined;
  const first = await openStore({
    name,
    createWorker: () => (worker = new Worker(new URL("../../src/worker.ts", import.meta.url), { type: "module" })),
  });
  const files = Array.from({ length: 70 }, (_, n) => ({ path: `${n}.md`, content: new File([`# ${n}\n\nkiln`], "f") }));
  const running = first.ingest(
    (async function* () {
      yield* files;
      await new Promise<never>(() => {});
    })(),
    { origin: { picked: "a folder" } },
  );
  const lost = running.catch((error: unknown) => error);
  for (;;) {
    const [job] = (await first.jobs.list({ status: "running" })).items;
    if (job !== undefined) break;
  }
  worker?.terminate();
  expect(await lost).toMatchObject({ code: "OWNER_LOST" });
  const again = await openStore({ name });
  const { interruptedJobs } = await again.openReport();
  expect(interruptedJobs).toMatchObject([{ kind: "ingest" }]);
  const { documents } = await again.stats();
  const seen: Record<string, unknown>[] = [];
  const job = await again.jobs.resume(interruptedJobs[0]?.id ?? "", {
    source: files,
    onProgress: (now) => seen.push(now),
  });
  expect(job).toMatchObject({
    status: "completed",
    attempt: 2,
    payload: { origin: { picked: "a folder" } },
    progress: { added: 70 - documents, skipped: documents },
  });
  expect(seen.at(-1)).toMatchObject({ done: 70 });
  expect((await again.stats()).jobs).toMatchObject({ running: 0, completed: 1 });
  await again.close();
});
