import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { IngestFile, IngestProgress, IngestSource, Store } from "../../src/contracts/store.ts";
import { StorageError } from "../../src/errors.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { StoreClient } from "../../src/rpc/store-client.ts";
import { createStore } from "../../src/store/store.ts";
import { servedHere } from "../rpc/served-here.ts";
import { openTestStore } from "../support/open-test-store.ts";

const GUIDE = `---
title: Kiln guide
tags: [pottery, heat]
lang: en
---

# Firing

Bisque firing drives out water.

## Cones

Cone 6 melts at 1222 degrees.

\`\`\`js
fire({ cone: 6 });
\`\`\`
`;

function files(count: number): IngestFile[] {
  return Array.from({ length: count }, (_, index) => ({
    path: `notes/${String(index).padStart(4, "0")}.md`,
    content: `# Note ${index}\n\nThe ${index}th note speaks of kilns and glaze number ${index}.\n`,
  }));
}

/** A source that hangs after its first file. @param onHang Called when it does. */
async function* hangingSource(onHang: () => void): AsyncGenerator<IngestFile> {
  yield* files(1);
  await new Promise(() => setTimeout(onHang));
}

function hangingFile(onHang: () => void): IngestFile {
  return { path: "stuck.md", content: () => new Promise(() => setTimeout(onHang)) };
}

describe("ingest", () => {
  test("takes a Markdown file in whole and finds it with its lines", async () => {
    const { store, db } = await openTestStore();
    const report = await store.ingest({ path: "guides/kiln.md", content: GUIDE });
    expect(report).toMatchObject({ added: 1, updated: 0, skipped: 0, failures: [] });
    const document = await store.documents.getDocumentByWorkspacePath("guides/kiln.md");
    expect(document).toMatchObject({
      title: "Kiln guide",
      lang: "en",
      tags: ["heat", "pottery"],
      mediaType: "text/markdown",
    });
    const { hits } = await store.search({ text: "cone melts" });
    expect(hits[0]).toMatchObject({ title: "Kiln guide", headingPath: ["Firing", "Cones"] });
    const span = hits[0]?.citation.span;
    const cited = GUIDE.split("\n")
      .slice((span?.start ?? 0) - 1, span?.end)
      .join("\n");
    expect(cited).toContain("Cone 6 melts");
    const asset = await store.documents.getAssetByWorkspacePath("guides/kiln.md");
    const bytes = await store.documents.getAssetBytes(asset?.id ?? "");
    expect(new TextDecoder().decode(bytes)).toBe(GUIDE);
    const blocks = await store.documents.getBlocks(document?.id ?? "");
    expect(blocks.map((block) => block.kind)).toContain("code");
    const run = await db.get("SELECT status, added, chunks FROM ingest_runs WHERE run_id = $1", [report.runId]);
    expect(run).toMatchObject({ status: "completed", added: 1, chunks: report.chunks });
    await store.close();
  });

  test("skips equal bytes and counts them, and changes nothing by it", async () => {
    const { store } = await openTestStore();
    await store.ingest(files(20));
    const revision = await store.documents.corpusRevision();
    const again = await store.ingest(files(20));
    expect(again).toMatchObject({ added: 0, updated: 0, skipped: 20 });
    expect(await store.documents.corpusRevision()).toBe(revision);
    await store.close();
  });

  test("takes in again what another policy, tag or media type would change", async () => {
    const { store } = await openTestStore();
    await store.ingest(files(2));
    expect(await store.ingest(files(2), { chunking: { targetTokens: 64 } })).toMatchObject({ updated: 2, skipped: 0 });
    const tagged = files(2).map((file) => ({ ...file, tags: ["new"] }));
    expect(await store.ingest(tagged, { chunking: { targetTokens: 64 } })).toMatchObject({ updated: 2 });
    expect(await store.ingest(tagged, { chunking: { targetTokens: 64 } })).toMatchObject({ skipped: 2 });
    await store.close();
  });

  test("sees that a tag or metadata was taken away where the caller gives them, and leaves what the text states", async () => {
    const { store } = await openTestStore();
    const file = { path: "kiln.md", content: GUIDE };
    const metadata = { shelf: 3, room: { floor: 1 } };
    await store.ingest({ ...file, tags: ["x", "y"], metadata, title: "Given" });
    expect(await store.ingest(file)).toMatchObject({ skipped: 1 });
    expect(await store.ingest({ ...file, tags: ["y", "x"], metadata })).toMatchObject({ skipped: 1 });

    const fewer = { ...file, tags: ["x"], metadata: { shelf: 3 } };
    expect(await store.ingest(fewer)).toMatchObject({ updated: 1, skipped: 0 });
    const document = await store.documents.getDocumentByWorkspacePath("kiln.md");
    expect(document).toMatchObject({ tags: ["heat", "pottery", "x"], metadata: { shelf: 3 } });
    expect(document?.metadata).not.toHaveProperty("room");
    expect(await store.ingest(fewer)).toMatchObject({ updated: 0, skipped: 1 });
    expect(await store.ingest({ ...file, tags: [] })).toMatchObject({ updated: 1 });
    expect(await store.ingest({ ...file, tags: [] })).toMatchObject({ skipped: 1 });
    await store.close();
  });

  test.each(["x-klingon", "i-default", "EN-GB"])("takes the language %s at the caller's word, once", async (lang) => {
    const { store } = await openTestStore();
    expect(await store.ingest({ path: "a.md", content: "tlhIngan", lang })).toMatchObject({ added: 1 });
    const document = await store.documents.getDocumentByWorkspacePath("a.md");
    expect(document?.lang).toBe(lang.toLowerCase());
    expect(await store.ingest({ path: "a.md", content: "tlhIngan", lang })).toMatchObject({ skipped: 1 });
    await store.close();
  });

  test("replaces a changed file and leaves tombstones for its embeddings", async () => {
    const { store, db } = await openTestStore();
    await store.ingest({ path: "a.md", content: "# Old\n\nbisque" });
    const [stale] = await store.documents.staleChunkIdsAt("a.md");
    await db.run(
      `INSERT INTO embedding_records (embedding_id, chunk_id, document_id, model_id, model_version, dimensions, created_at, updated_at, status)
       VALUES ('e', $1, 'd', 'm', 'v', 3, 0, 0, 'committed')`,
      [stale ?? ""],
    );
    const report = await store.ingest({ path: "a.md", content: "# New\n\nglaze" });
    expect(report).toMatchObject({ added: 0, updated: 1 });
    expect((await store.search({ text: "bisque" })).hits).toEqual([]);
    expect((await store.search({ text: "glaze" })).hits).toHaveLength(1);
    expect(await db.all("SELECT status FROM embedding_records")).toEqual([{ status: "tombstone" }]);
    expect((await store.check()).findings.filter((one) => !one.ok)).toEqual([]);
    await store.close();
  });

  test("keeps two documents with equal bytes at two paths over one asset", async () => {
    const { store } = await openTestStore();
    await store.ingest([
      { path: "a.md", content: "# Same\n\nequal bytes" },
      { path: "b/a.md", content: "# Same\n\nequal bytes" },
    ]);
    expect(await store.stats()).toMatchObject({ documents: 2, assets: 1 });
    const { hits } = await store.search({ text: "equal" });
    expect(hits.map((hit) => hit.citation.workspacePath).toSorted()).toEqual(["a.md", "b/a.md"]);
    await store.close();
  });

  test("reports bad files with their reason and takes in all the others", async () => {
    const { store } = await openTestStore();
    const bad: IngestFile[] = [
      { path: "latin1.md", content: new Uint8Array([0x23, 0x20, 0xe9, 0x0a]) },
      { path: "picture.md", content: new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 1]) },
      { path: "huge.md", content: "never read", sizeBytes: 200 * 2 ** 20 },
      { path: "../escape.md", content: "outside" },
      { path: "broken.md", content: () => Promise.reject(new Error("disk says no")) },
      { path: "nothing.md", content: undefined as unknown as string },
    ];
    const good = files(10);
    const mixed = good.flatMap((file, index) => [file, ...(bad[index] === undefined ? [] : [bad[index]])]);
    const report = await store.ingest(mixed);
    expect(report.added).toBe(10);
    expect(report.failures.map((failure) => failure.path)).toHaveLength(6);
    const reasons = new Map(report.failures.map((failure) => [failure.path, failure.reason]));
    expect(reasons.get("latin1.md")).toMatch(/UTF-8/u);
    expect(reasons.get("picture.md")).toMatch(/binary/u);
    expect(reasons.get("huge.md")).toMatch(/200\.0 MiB.*16\.0 MiB/u);
    expect(reasons.get("broken.md")).toMatch(/disk says no/u);
    expect((await store.check()).ok).toBe(true);
    await store.close();
  });

  test("takes in text whose words are millions of spaces apart, and finds them", async () => {
    const { store } = await openTestStore();
    const report = await store.ingest({ path: "apart.txt", content: `kiln${" ".repeat(4_300_000)}glaze\n` });
    expect(report).toMatchObject({ added: 1, failures: [] });
    for (const text of ["kiln", "glaze"]) expect((await store.search({ text })).hits).toHaveLength(1);
    await store.close();
  });

  test("leaves whole documents only when it is cancelled, and says so in the run", async () => {
    const { store, db } = await openTestStore();
    const controller = new AbortController();
    let handed = 0;
    async function* source(): AsyncGenerator<IngestFile> {
      for (const file of files(1000)) {
        if (++handed === 300) controller.abort();
        yield file;
      }
    }
    const run = store.ingest(source(), { signal: controller.signal });
    await expect(run).rejects.toMatchObject({ name: "StorageError", code: "ABORTED" });
    const { documents } = await store.stats();
    expect(documents).toBeGreaterThan(0);
    expect(documents).toBeLessThan(300);
    expect((await store.check()).findings.filter((one) => !one.ok)).toEqual([]);
    expect(await db.get("SELECT status, added FROM ingest_runs")).toEqual({ status: "cancelled", added: documents });
    const rest = await store.ingest(files(1000));
    expect(rest).toMatchObject({ added: 1000 - documents, skipped: documents });
    await store.close();
  });

  test("removes vanished paths under the swept prefix only", async () => {
    const { store } = await openTestStore();
    await store.ingest([...files(5), { path: "other/kept.md", content: "# Kept" }]);
    const report = await store.ingest(files(3), { sweep: { prefix: "notes/" } });
    expect(report).toMatchObject({ skipped: 3, removed: 2 });
    expect(await store.documents.allWorkspacePaths()).toEqual([
      "notes/0000.md",
      "notes/0001.md",
      "notes/0002.md",
      "other/kept.md",
    ]);
    await store.close();
  });

  test("never sweeps a document whose file is there and refused", async () => {
    const { store } = await openTestStore();
    await store.ingest(files(3));
    const [kept, wrong, unread] = files(3);
    const report = await store.ingest(
      [
        kept!,
        { ...wrong!, tags: ["x".repeat(5000)] },
        { ...unread!, content: () => Promise.reject(new Error("disk says no")) },
      ],
      { sweep: { prefix: "" } },
    );
    expect(report.failures.map(({ path }) => path)).toEqual(["notes/0001.md", "notes/0002.md"]);
    expect(report).toMatchObject({ skipped: 1, removed: 0 });
    expect(await store.documents.countDocuments()).toBe(3);
    await store.close();
  });

  test.each([
    ["bytes", (buffer: Buffer) => buffer],
    ["a function that reads them", (buffer: Buffer) => () => Promise.resolve(buffer)],
  ])("keeps the bytes of every file of a source that uses one buffer for all: %s", async (_, contentOf) => {
    const { store } = await openTestStore();
    const words = ["alpha", "gamma", "delta"];
    function* source(): Generator<IngestFile> {
      const buffer = Buffer.alloc(5);
      for (const word of words) {
        buffer.write(word);
        yield { path: `${word}.txt`, content: contentOf(buffer) };
      }
    }
    await store.ingest(source());
    for (const word of words) {
      const asset = await store.documents.getAssetByWorkspacePath(`${word}.txt`);
      expect(new TextDecoder().decode(await store.documents.getAssetBytes(asset?.id ?? ""))).toBe(word);
    }
    await store.close();
  });

  test("counts what a sweep has removed that is cancelled half-way", async () => {
    const { db } = await openTestStore();
    const stop = new AbortController();
    let isSweeping = false;
    const watched = new Proxy(db, {
      get(target, key) {
        if (key === "transaction" && isSweeping) stop.abort();
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const store = await createStore({ db: watched, blobs: new SqlBlobStore(watched) });
    await store.ingest(files(20));
    isSweeping = true;
    const swept = store.ingest(files(5), { sweep: { prefix: "" }, signal: stop.signal });
    await expect(swept).rejects.toMatchObject({ code: "ABORTED" });
    expect(await store.documents.countDocuments()).toBe(19);
    expect(await db.get("SELECT removed FROM ingest_runs WHERE status = 'cancelled'")).toEqual({ removed: 1 });
    await store.close();
  });

  test.each([
    ["source", hangingSource],
    ["file", hangingFile],
  ])("is cancelled, and closed, while its %s hangs", async (_, hanging) => {
    const { store, db } = await openTestStore();
    const stop = new AbortController();
    const cancelled = store.ingest(
      hanging(() => stop.abort()),
      { signal: stop.signal },
    );
    await expect(cancelled).rejects.toMatchObject({ code: "ABORTED" });
    expect(await db.get("SELECT status FROM ingest_runs")).toEqual({ status: "cancelled" });
    const closed = store.ingest(hanging(() => void store.close()));
    await expect(closed).rejects.toMatchObject({ code: "CLOSED" });
    await store.close();
  });

  test("tells a source that it is over when the run is cancelled", async () => {
    const { store } = await openTestStore();
    const stop = new AbortController();
    let isEnded = false;
    const source: AsyncIterableIterator<IngestFile> = {
      [Symbol.asyncIterator]: () => source,
      next: () => new Promise(() => stop.abort()),
      return() {
        isEnded = true;
        return new Promise(() => {});
      },
    };
    await expect(store.ingest(source, { signal: stop.signal })).rejects.toMatchObject({ code: "ABORTED" });
    expect(isEnded).toBe(true);
    await store.close();
  });

  describe.each([
    ["here", (store: Store) => Promise.resolve(store)],
    ["across a connection", async (store: Store) => new StoreClient(await servedHere(store))],
  ])("a file that no worker could be sent, %s", (_, seenFrom) => {
    const detached = new Uint8Array([1]);
    structuredClone(detached, { transfer: [detached.buffer] });
    const bad = {
      "symbol.md": { content: Symbol("no content") },
      "response.md": { content: new Response("answer") },
      "detached.md": { content: detached },
      "metadata.md": { content: "a", metadata: { key: Symbol("no value") } },
      "tags.md": { content: "a", tags: [() => "no tag"] },
      "title.md": { content: "a", title: Symbol("no title") },
    };
    const all = [
      ...Object.entries(bad).map(([path, file]) => ({ path, ...file }) as unknown as IngestFile),
      Symbol("no file") as unknown as IngestFile,
      ...files(3),
    ];

    test.each<[string, () => IngestSource]>([
      ["a list", () => all],
      ["a set", () => new Set(all)],
      ["a generator", () => all[Symbol.iterator]()],
      [
        "a stream",
        async function* () {
          yield* all;
        },
      ],
    ])("fails alone in %s, by its path", async (__, source) => {
      const store = await seenFrom((await openTestStore()).store);
      const { added, failures } = await store.ingest(source());
      expect(added).toBe(3);
      expect(failures.map(({ path }) => path).sort()).toEqual([...Object.keys(bad), "(no path)"].sort());
      expect(failures[0]).toMatchObject({
        code: "INVALID_INPUT",
        reason: expect.stringContaining("content is neither"),
      });
      await store.close();
    });

    test("fails alone where it is the only one", async () => {
      const store = await seenFrom((await openTestStore()).store);
      const { added, failures } = await store.ingest(all[0]!);
      expect({ added, paths: failures.map(({ path }) => path) }).toEqual({ added: 0, paths: ["symbol.md"] });
      await store.close();
    });
  });

  describe.each([
    ["here", (store: Store) => Promise.resolve(store)],
    ["across a connection", async (store: Store) => new StoreClient(await servedHere(store))],
  ])("a progress callback that fails, %s", (_, seenFrom) => {
    test.each<[string, () => unknown]>([
      [
        "throws",
        () => {
          throw new RangeError("no such bar");
        },
      ],
      ["rejects", () => Promise.reject(new RangeError("no such bar"))],
    ])("and %s harms nothing, and is reported when all is in", async (__, onProgress) => {
      const { store: local, db } = await openTestStore();
      const store = await seenFrom(local);
      const run = store.ingest(files(200), { onProgress });
      await expect(run).rejects.toThrow(new RangeError("no such bar"));
      expect(await store.documents.countDocuments()).toBe(200);
      expect(await db.get("SELECT status, added, error FROM ingest_runs")).toEqual({
        status: "completed",
        added: 200,
        error: "onProgress threw: no such bar",
      });
      await store.close();
    });
  });

  test("tells its progress, never backwards, and at the end", async () => {
    const { store } = await openTestStore();
    const told: IngestProgress[] = [];
    await store.ingest(files(200), { total: 200, onProgress: (progress) => told.push(progress) });
    expect(told.at(-1)).toMatchObject({ done: 200, total: 200, added: 200, failed: 0 });
    told.reduce((last, next) => {
      expect(next.done).toBeGreaterThanOrEqual(last);
      return next.done;
    }, 0);
    await store.close();
  });

  test("keeps what is in when the source itself fails, and passes its error on", async () => {
    const { store, db } = await openTestStore();
    function* source(): Generator<IngestFile> {
      yield* files(100);
      throw new Error("the folder is gone");
    }
    await expect(store.ingest(source())).rejects.toThrow("the folder is gone");
    const { documents } = await store.stats();
    expect(documents).toBeGreaterThan(0);
    expect(await db.get("SELECT status, added, error FROM ingest_runs")).toEqual({
      status: "failed",
      added: documents,
      error: "the folder is gone",
    });
    await store.close();
  });

  test("ends when a commit fails, and counts only what is in", async () => {
    const { db } = await openTestStore();
    const state = { commits: 0 };
    const failing = new Proxy(db, {
      get(target, key) {
        if (key === "transaction" && ++state.commits === 3) {
          return () =>
            Promise.reject(new StorageError("DRIVER", "disk I/O error", { capability: "sql", operation: "commit" }));
        }
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const store = await createStore({ db: failing, blobs: new SqlBlobStore(failing) });
    const run = store.ingest(files(500));
    await expect(run).rejects.toMatchObject({ code: "DRIVER", message: "disk I/O error" });
    const { documents } = await store.stats();
    expect(documents).toBeGreaterThan(0);
    expect(documents).toBeLessThan(500);
    expect(await db.get("SELECT status, added, error FROM ingest_runs")).toEqual({
      status: "failed",
      added: documents,
      error: "disk I/O error",
    });
    await store.close();
  });

  test("lets a search in while it runs", async () => {
    const { store } = await openTestStore();
    await store.ingest({ path: "first.md", content: "# First\n\nbisque" });
    let searches = 0;
    const run = store.ingest(files(500));
    const state = { running: true };
    void run.finally(() => {
      state.running = false;
    });
    while (state.running) {
      const { hits } = await store.search({ text: "bisque" });
      expect(hits).toHaveLength(1);
      searches++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await run;
    expect(searches).toBeGreaterThan(2);
    await store.close();
  });

  test("refuses wrong options by name before anything is written", async () => {
    const { store, db } = await openTestStore();
    const wrong = { chunking: { targetTokens: 3 } };
    await expect(store.ingest(files(1), wrong)).rejects.toThrow(/chunking\.targetTokens got 3/u);
    await expect(store.ingest(files(1), { retries: 2 } as object)).rejects.toThrow(/retries/u);
    expect(await db.all("SELECT * FROM ingest_runs")).toEqual([]);
    await store.close();
  });
});

describe("opening again", () => {
  async function inFolder(body: (path: string) => Promise<void>): Promise<void> {
    const dir = await mkdtemp(join(tmpdir(), "lodestore-test-"));
    try {
      await body(join(dir, "store.db"));
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }

  test("finds everything as it was", () =>
    inFolder(async (path) => {
      const first = await openTestStore(path);
      expect(await first.store.openReport()).toMatchObject({ created: true, rebuilt: [] });
      await first.store.ingest(files(30));
      const before = await first.store.search({ text: "glaze 7" });
      await first.store.close();
      const second = await openTestStore(path);
      expect(await second.store.openReport()).toMatchObject({ created: false, migrations: [], rebuilt: [] });
      expect(await second.store.search({ text: "glaze 7" })).toEqual(before);
      await second.store.close();
    }));

  test.each([
    ["is gone", "DROP TABLE chunks_fts"],
    ["has lost its triggers", "DROP TRIGGER chunks_ai"],
    ["is of another version", "UPDATE kv SET value = 'old' WHERE key = 'terms_version'"],
    ["misses chunks", "DELETE FROM chunks_fts WHERE rowid IN (SELECT chunk_key FROM chunks LIMIT 3)"],
  ])("rebuilds the text index that %s, and reports it", (_, damage) =>
    inFolder(async (path) => {
      const first = await openTestStore(path);
      await first.store.ingest(files(30));
      const before = await first.store.search({ text: "glaze 7" });
      await first.db.exec(damage);
      await first.store.close();
      const second = await openTestStore(path);
      const { rebuilt } = await second.store.openReport();
      expect(rebuilt).toHaveLength(1);
      expect((await second.store.search({ text: "glaze 7" })).hits).toEqual(before.hits);
      await second.store.ingest({ path: "later.md", content: "# Later\n\nbisque" });
      expect((await second.store.search({ text: "bisque" })).hits).toHaveLength(1);
      expect((await second.store.check()).findings.filter((one) => !one.ok)).toEqual([]);
      await second.store.close();
    }),
  );

  test("closes the row of a run that its process did not end with the next run, never that of a run at work", async () => {
    const { store, db } = await openTestStore();
    await db.run("INSERT INTO ingest_runs (run_id, status, options, started_at) VALUES ('r', 'running', '{}', 0)");
    await Promise.all([store.ingest(files(100)), store.ingest({ path: "other.md", content: "# Other" })]);
    const rows = await db.all("SELECT status, error FROM ingest_runs ORDER BY started_at");
    expect(rows).toEqual([
      { status: "failed", error: "interrupted: its process ended" },
      { status: "completed", error: null },
      { status: "completed", error: null },
    ]);
    await store.close();
  });

  test("closes only after the running ingest has ended, and refuses calls from then on", async () => {
    const { store } = await openTestStore();
    const run = store.ingest(files(500));
    const closed = store.close();
    await expect(run).rejects.toBeInstanceOf(StorageError);
    await closed;
    await expect(store.search({ text: "x" })).rejects.toMatchObject({ code: "CLOSED" });
    await store.close();
  });
});
