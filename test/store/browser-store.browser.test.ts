import { afterEach, describe, expect, test } from "vitest";
import { deleteStore, openStore, StorageError, type IngestFile, type Store } from "lodestore/browser";

let made = 0;
const open: Store[] = [];

async function openFresh(name = `test-${Date.now()}-${made++}`): Promise<{ store: Store; name: string }> {
  const store = await openStore({ name });
  open.push(store);
  return { store, name };
}

afterEach(async () => {
  for (const store of open.splice(0)) await store.close().catch(() => undefined);
});

function files(count: number): IngestFile[] {
  return Array.from({ length: count }, (_, index) => ({
    path: `notes/${index}.md`,
    content: `# Note ${index}\n\nThe note number ${index} speaks of kilns. 数据库 ${index}.\n`,
  }));
}

describe("a store in the browser", () => {
  test("takes files in, finds them, and holds them after it is opened again", async () => {
    const { store, name } = await openFresh();
    expect(await store.openReport()).toMatchObject({ created: true });
    const told: number[] = [];
    const report = await store.ingest(files(50), { total: 50, onProgress: ({ done }) => told.push(done) });
    expect(report).toMatchObject({ added: 50, failures: [] });
    expect(told.at(-1)).toBe(50);
    const before = await store.search({ text: "kilns 数据", k: 5 });
    expect(before.hits).toHaveLength(5);
    expect((await store.stats()).sql).toMatchObject({ driver: "sql-opfs", vfs: "opfs-sahpool", persistent: true });
    await store.close();
    const again = await openFresh(name);
    expect(await again.store.openReport()).toMatchObject({ created: false, migrations: [], rebuilt: [] });
    expect(await again.store.search({ text: "kilns 数据", k: 5 })).toEqual(before);
    expect(await again.store.check()).toMatchObject({ ok: true });
    await again.store.close();
    await deleteStore({ name });
  });

  test("takes Files, functions and async iterables across the worker boundary", async () => {
    const { store } = await openFresh();
    async function* source(): AsyncGenerator<IngestFile> {
      yield { path: "a.md", content: new File(["# A file\n\nfired"], "a.md") };
      yield { path: "b.md", content: () => Promise.resolve(new TextEncoder().encode("# A function\n\nglazed")) };
      yield { path: "c.md", content: new Uint8Array([0xff, 0xfe, 0x00]) };
    }
    const report = await store.ingest(source());
    expect(report.added).toBe(2);
    expect(report.failures).toMatchObject([{ path: "c.md", code: "INVALID_INPUT" }]);
    const { hits } = await store.search({ text: "glazed" });
    expect(hits[0]?.citation.workspacePath).toBe("b.md");
  });

  test("stops when it is cancelled and leaves whole documents", async () => {
    const { store } = await openFresh();
    const controller = new AbortController();
    const run = store.ingest(files(2000), {
      signal: controller.signal,
      onProgress: ({ done }) => {
        if (done > 100) controller.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ name: "StorageError", code: "ABORTED", capability: "ingest" });
    const { documents } = await store.stats();
    expect(documents).toBeLessThan(2000);
    expect(await store.check()).toMatchObject({ ok: true });
  });

  test("is refused to a second owner with a clear error, and free again once closed", async () => {
    const { store, name } = await openFresh();
    const second = openStore({ name });
    await expect(second).rejects.toBeInstanceOf(StorageError);
    await expect(second).rejects.toMatchObject({ code: "CONFLICT", retryable: false });
    await store.close();
    const third = await openFresh(name);
    expect(await third.store.stats()).toMatchObject({ documents: 0 });
  });

  test("says what is wrong with a query, with code, capability and operation", async () => {
    const { store } = await openFresh();
    await expect(store.search({ text: "x", k: 0 })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      capability: "search",
      operation: "search",
      message: expect.stringMatching(/k got 0; it takes an integer from 1 to 1000/u) as string,
    });
  });

  test("tells of a worker that died: pending calls reject, onLost is called, and nothing committed is lost", async () => {
    const name = `test-${Date.now()}-${made++}`;
    let worker: Worker | undefined;
    const lost = Promise.withResolvers<StorageError>();
    const store = await openStore({
      name,
      onLost: lost.resolve,
      createWorker: () => (worker = new Worker(new URL("../../src/worker.ts", import.meta.url), { type: "module" })),
    });
    await store.ingest(files(20));
    const started = Promise.withResolvers<void>();
    const run = store.ingest(files(3000), {
      onProgress: ({ done }) => {
        if (done > 200) started.resolve();
      },
    });
    run.catch(() => undefined);
    await started.promise;
    worker?.terminate();
    await expect(run).rejects.toMatchObject({ code: "OWNER_LOST" });
    expect(await lost.promise).toMatchObject({ code: "OWNER_LOST" });
    const { store: reopened } = await openFresh(name);
    expect(await reopened.check()).toMatchObject({ ok: true });
    const { documents } = await reopened.stats();
    expect(documents).toBeGreaterThanOrEqual(20);
    const report = await reopened.ingest(files(3000));
    expect(report).toMatchObject({ skipped: documents, added: 3000 - documents });
  });

  test("rejects when its worker dies while it opens, and can be opened after that", async () => {
    const name = `test-${Date.now()}-${made++}`;
    const createWorker = (): Worker => {
      const worker = new Worker(new URL("../../src/worker.ts", import.meta.url), { type: "module" });
      worker.addEventListener("message", ({ data }: MessageEvent<{ lode: string }>) => {
        if (data.lode === "opening") worker.terminate();
      });
      return worker;
    };
    await expect(openStore({ name, createWorker })).rejects.toMatchObject({ name: "StorageError", code: "OWNER_LOST" });
    const { store } = await openFresh(name);
    expect(await store.check()).toMatchObject({ ok: true });
  });

  test("that a worker never answers for is given up by a signal, and the worker ends", async () => {
    const lock = `test-${Date.now()}-${made++}`;
    const held = Promise.withResolvers<void>();
    const script = `navigator.locks.request("${lock}", () => (postMessage("held"), new Promise(() => {})));`;
    const createWorker = (): Worker => {
      const worker = new Worker(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
      worker.addEventListener("message", () => held.resolve());
      return worker;
    };
    const controller = new AbortController();
    const opening = openStore({ name: "silent", createWorker, signal: controller.signal });
    await held.promise;
    controller.abort("enough");
    await expect(opening).rejects.toMatchObject({ name: "StorageError", code: "ABORTED", cause: "enough" });
    // Granted once the worker that held it is gone.
    await navigator.locks.request(lock, () => {});
  });

  test("takes a signal that is none for wrong input, and an aborted one at its word", async () => {
    const name = `test-${Date.now()}-${made++}`;
    const wrong = { name, signal: "soon" as unknown as AbortSignal };
    await expect(openStore(wrong)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining(`signal got "soon"`) as string,
    });
    const aborted = openStore({ name, signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("refuses a name that cannot be one", async () => {
    await expect(openStore({ name: "../up" })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});
