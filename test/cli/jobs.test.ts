import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { type Job, openStore, type Page } from "../../src/node.ts";
import { KILL_ORDER, type KillOrder } from "./kill-at-statement.ts";
import { lodestore, lodestoreJson, makeFolder, makeStore, manyNotes, start, writeFiles } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 120_000 });

const PRELOAD = pathToFileURL(join(import.meta.dirname, "kill-at-statement.ts")).href;
const FILES = { "docs/a.md": "# A\n\nCone 6 melts.\n", "docs/b.md": "# B\n\nGlaze.\n" };
const TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d UTC`;

/** Runs a command until it kills itself. */
async function killed(folder: string, order: KillOrder, ...args: readonly string[]): Promise<void> {
  const env = { [KILL_ORDER]: JSON.stringify(order) };
  const outcome = await start(folder, args, { env, nodeArgs: ["--import", PRELOAD] }).ended;
  expect(outcome).toMatchObject({ code: null, signal: "SIGKILL" });
}

async function jobs(folder: string, ...args: readonly string[]): Promise<Job[]> {
  return (await lodestoreJson<Page<Job>>(folder, "jobs", "list", ...args)).items;
}

describe("lodestore jobs", () => {
  test("list prints a line for each job, the newest first, by kind and status, page by page", async () => {
    const folder = await makeStore(FILES);
    await lodestore(folder, "reindex");
    const { code, stdout, stderr } = await lodestore(folder, "jobs", "list");
    expect([code, stderr]).toEqual([0, "3 jobs\n"]);
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(new RegExp(`^[0-9a-f]{32} {2}${TIME} {2}reindex {2}completed {4}1 of 1$`));
    expect(lines[1]).toMatch(new RegExp(`^[0-9a-f]{32} {2}${TIME} {2}embed {4}completed {4}2 of 2$`));
    expect(lines[2]).toMatch(new RegExp(`^[0-9a-f]{32} {2}${TIME} {2}ingest {3}completed {4}2 of 2$`));
    expect((await jobs(folder, "--kind", "embed")).map(({ kind }) => kind)).toEqual(["embed"]);
    expect(await jobs(folder, "--status", "running")).toEqual([]);
    const page = await lodestoreJson<Page<Job>>(folder, "jobs", "list", "--limit", "2");
    expect(page.items.map(({ kind }) => kind)).toEqual(["reindex", "embed"]);
    expect((await jobs(folder, "--cursor", page.nextCursor ?? "")).map(({ kind }) => kind)).toEqual(["ingest"]);
  });

  test("show prints what is known of a job, harmless to a terminal", async () => {
    const folder = await makeStore(FILES);
    await using store = await openStore({ dir: join(folder, ".lodestore"), vectors: "hnsw", embedOnOpen: false });
    const { id } = await store.jobs.create("transcribe", { path: "a\u001B[2J.wav" });
    await store.jobs.updateProgress(id, { done: 1 });
    await store.jobs.finish(id, "failed", "too\u001B[31m hot");
    const { code, stdout } = await lodestore(folder, "jobs", "show", id);
    expect(code).toBe(0);
    expect(stdout.replaceAll(new RegExp(TIME, "g"), "(time)")).toBe(
      `transcribe ${id}\nfailed\nmade (time), changed (time)\nbecause: too␛[31m hot\nprogress: {"done":1}\npayload: {"path":"a\\u001b[2J.wav"}\n`,
    );
    expect(await lodestoreJson(folder, "jobs", "show", id)).toEqual(await store.jobs.get(id));
    // Another process reads what this one has open, and cannot end its work.
    const running = await store.jobs.create("transcribe");
    const cancel = await lodestore(folder, "jobs", "cancel", running.id);
    expect(cancel).toMatchObject({ code: 1, stdout: "" });
    expect(cancel.stderr).toMatch(/another process has the store open, and it alone works on its jobs/);
    const asJson = await lodestore(folder, "jobs", "cancel", running.id, "--json");
    expect(JSON.parse(asJson.stderr)).toMatchObject({ error: { code: "CONFLICT", operation: "jobs cancel" } });
    expect(await store.jobs.get(running.id)).toEqual(running);
  });

  test("an ingest that was killed is resumed from another folder, with the options it was begun with", async () => {
    const folder = makeFolder(manyNotes(300));
    const half: KillOrder = {
      steps: [
        ["INSERT INTO documents", 150],
        ["COMMIT", 1],
      ],
      when: "after",
    };
    await killed(folder, half, "ingest", "docs", "--prefix", "notes", "--tag", "kiln", "--embedder", "none");
    const [found] = await jobs(folder);
    expect(found).toMatchObject({
      kind: "ingest",
      status: "running",
      payload: { embed: "off", origin: { command: "lodestore ingest", workingFolder: folder } },
    });
    const id = found?.id ?? "";
    const elsewhere = makeFolder();
    const db = join(folder, ".lodestore");
    const { code, stdout, stderr } = await lodestore(elsewhere, "jobs", "resume", id, "--db", db);
    expect([code, stderr.includes("lodestore jobs resume")]).toEqual([0, false]);
    expect(stdout).toContain("completed, attempt 2\n");
    const shown = await lodestoreJson<Job>(folder, "jobs", "show", id);
    const { added = 0, skipped = 0 } = shown.progress as { added?: number; skipped?: number };
    expect(added + skipped).toBe(300);
    expect(skipped).toBeGreaterThan(0);
    const list = await lodestoreJson<{ items: { workspacePath: string; tags: string[] }[] }>(
      folder,
      "list",
      "--limit",
      "1000",
    );
    expect(list.items).toHaveLength(300);
    for (const { workspacePath, tags } of list.items)
      expect([workspacePath.slice(0, 7), tags]).toEqual(["notes/n", ["kiln"]]);
    expect((await lodestore(folder, "jobs", "resume", id)).stderr).toMatch(/is completed: what it was to do is done/);
  });

  test("embeddings that were killed are resumed, and a job that was killed is cancelled", async () => {
    const folder = makeFolder(manyNotes(300));
    const embedded: KillOrder = {
      steps: [
        ["INSERT INTO embedding_records", 2],
        ["COMMIT", 1],
      ],
      when: "after",
    };
    await killed(folder, embedded, "ingest", "docs");
    const [embed, ingest] = await jobs(folder);
    expect([embed?.kind, ingest?.kind]).toEqual(["embed", "ingest"]);
    const cancelled = await lodestoreJson<Job>(folder, "jobs", "cancel", ingest?.id ?? "");
    expect(cancelled).toMatchObject({ status: "cancelled", error: { code: "OWNER_LOST" } });
    expect(await jobs(folder, "--status", "interrupted")).toMatchObject([{ id: embed?.id }]);
    const done = await lodestoreJson<Job>(folder, "jobs", "resume", embed?.id ?? "");
    expect(done).toMatchObject({ status: "completed", attempt: 2 });
    expect(done.progress).toMatchObject({ done: done.progress?.["total"] });
    expect((await lodestore(folder, "doctor")).code).toBe(0);
  });

  test.each([
    [["jobs"], 2, /"jobs" is the first word of several commands\nThey are: lodestore jobs list, .*jobs resume\n$/],
    [["jobs", "list", "x"], 2, /unexpected "x"\nOne job: lodestore jobs show <id>\n$/],
    [["jobs", "list", "--status", "done"], 2, /--status got "done"; it takes running, completed/],
    [["jobs", "show"], 2, /no id of a job is given\n/],
    [["jobs", "cancel", "a", "b"], 2, /takes one id, got 2\n/],
    [["jobs", "show", "unknown"], 1, /the store has no job "unknown"\nAll jobs: lodestore jobs list\n$/],
    [["jobs", "resume", "unknown"], 1, /no job "unknown"/],
  ])("%j ends with %i and says why", async (args, exit, message) => {
    const folder = await makeStore(FILES);
    const { code, stdout, stderr } = await lodestore(folder, ...args);
    expect([code, stdout]).toEqual([exit, ""]);
    expect(stderr).toMatch(message);
  });

  test("what a program began is not resumed, and says what can", async () => {
    const folder = makeFolder();
    writeFiles(folder, FILES);
    const store = await openStore({ dir: join(folder, ".lodestore"), vectors: "hnsw", embedOnOpen: false });
    const own = await store.jobs.create("transcribe");
    const stop = new AbortController();
    const source = (async function* (): AsyncGenerator<{ path: string; content: string }> {
      yield { path: "a.md", content: "# A" };
      stop.abort();
    })();
    await store.ingest(source, { signal: stop.signal }).catch(() => undefined);
    await store.close();
    const [ingest] = await jobs(folder, "--kind", "ingest");
    expect(ingest?.status).toBe("cancelled");
    expect(await lodestore(folder, "jobs", "resume", ingest?.id ?? "")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("begun by a program") as string,
    });
    expect(await lodestore(folder, "jobs", "resume", own.id)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('of the kind "transcribe"') as string,
    });
  });
});
