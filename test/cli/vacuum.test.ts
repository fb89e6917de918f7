import { statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test, vi } from "vitest";
import type { SearchResult, StoreStats, VacuumReport } from "../../src/node.ts";
import { bulkNotes } from "../support/bulk-notes.ts";
import { KILL_ORDER, type KillOrder } from "./kill-at-statement.ts";
import { lodestore, lodestoreJson, makeFolder, start, writeFiles } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 120_000 });

const NOTES = bulkNotes(160, 1500);
const PRELOAD = pathToFileURL(join(import.meta.dirname, "kill-at-statement.ts")).href;

function sizeOf(folder: string): number {
  return statSync(join(folder, ".lodestore/lodestore.db")).size;
}

/** A store of notes of which most were deleted. */
async function emptied(): Promise<string> {
  const written = Object.fromEntries(NOTES.map(({ path, content }) => [`docs/${path}`, content]));
  const folder = makeFolder(written);
  expect(await lodestore(folder, "ingest", "docs", "--embedder", "none")).toMatchObject({ code: 0 });
  const kept = makeFolder();
  writeFiles(kept, Object.fromEntries(Object.entries(written).slice(0, 5)));
  const swept = await lodestore(
    kept,
    "ingest",
    "docs",
    "--sweep",
    "--embedder",
    "none",
    "--db",
    join(folder, ".lodestore"),
  );
  expect(swept).toMatchObject({ code: 0 });
  return folder;
}

async function found(folder: string): Promise<unknown[]> {
  const { hits } = await lodestoreJson<SearchResult>(folder, "search", "kiln", "-k", "100");
  return hits.map(({ chunkId, score }) => [chunkId, score.toFixed(6)]);
}

describe("lodestore vacuum", () => {
  test("gives room back within bounds, then all of it, and what is there is found as before", async () => {
    const folder = await emptied();
    const before = await found(folder);
    const size = sizeOf(folder);
    const some = await lodestoreJson<VacuumReport>(folder, "vacuum", "--max-mb", "0.1");
    expect(some).toMatchObject({ mode: "incremental", ended: "maxBytes" });
    expect(some.freedBytes).toBeLessThan(0.2 * 2 ** 20);
    const text = await lodestore(folder, "vacuum", "-q");
    expect(text).toMatchObject({ code: 0, stderr: "" });
    expect(text.stdout).toMatch(/^Gave back \d+\.\d (?:K|M)iB, .*\nDatabase \d+\.\d (?:K|M)iB\n$/u);
    expect(sizeOf(folder)).toBeLessThan(size / 2);
    expect(await found(folder)).toEqual(before);
    expect(await lodestore(folder, "doctor")).toMatchObject({ code: 0 });
    const late = await lodestore(folder, "vacuum", "--max-seconds", "0");
    expect(late.stdout).toContain("Gave back 0 bytes");
  });

  test.skipIf(process.platform === "win32")("that is killed in the midst leaves a store that opens whole", async () => {
    const folder = await emptied();
    const before = await found(folder);
    for (const [occurrence, when] of [
      [1, "before"],
      [1, "after"],
      [2, "after"],
    ] as const) {
      const order: KillOrder = { steps: [["PRAGMA incremental_vacuum", occurrence]], when };
      const env = { [KILL_ORDER]: JSON.stringify(order) };
      const outcome = await start(folder, ["vacuum"], { env, nodeArgs: ["--import", PRELOAD] }).ended;
      expect(outcome).toMatchObject({ code: null, signal: "SIGKILL", stdout: "" });
      expect(await lodestore(folder, "doctor")).toMatchObject({ code: 0 });
      expect(await found(folder)).toEqual(before);
    }
    expect(await lodestoreJson(folder, "vacuum")).toMatchObject({ leftBytes: 0, ended: "done" });
    expect(await found(folder)).toEqual(before);
  });

  test.each([
    [["more"], 'unexpected "more"'],
    [["--max-mb", "much"], '--max-mb got "much"; it takes a number from 0'],
    [["--max-seconds=-1"], '--max-seconds got "-1"'],
  ])("refuses %j", async (args, message) => {
    const outcome = await lodestore(makeFolder(), "vacuum", ...args);
    expect([outcome.code, outcome.stdout]).toEqual([2, ""]);
    expect(outcome.stderr).toContain(message);
  });
});

describe("lodestore stats --sizes", () => {
  test("tells rows and bytes of every table and index, which add up to the file", async () => {
    const folder = await emptied();
    const { stdout } = await lodestore(folder, "stats", "--sizes");
    expect(stdout).toMatch(/^ {2}chunks +table +\d+ +\d+\.\d KiB$/mu);
    expect(stdout).toMatch(/^ {2}chunks_fts_data +fulltext +\d+ +\d+\.\d (?:K|M)iB$/mu);
    expect(stdout).toMatch(/are free: lodestore vacuum$/mu);
    expect(stdout).toMatch(/^Text index chunks_fts: (\d+) of \1, \d+ segments, in step$/mu);
    const { stats } = await lodestoreJson<{ stats: StoreStats }>(folder, "stats", "--sizes");
    const { sizes, databaseBytes, freeBytes } = stats;
    const bytes = sizes?.objects.reduce((sum, one) => sum + (one.bytes ?? 0), 0) ?? 0;
    expect(bytes + (sizes?.otherBytes ?? 0) + freeBytes).toBe(databaseBytes);
    expect(sizes?.objects.find(({ name }) => name === "documents")).toMatchObject({ kind: "table", rows: 5 });
    expect(sizes?.objects.find(({ name }) => name === "idx_documents_asset")).toMatchObject({
      kind: "index",
      rows: null,
    });
    expect((await lodestoreJson<{ stats: StoreStats }>(folder, "stats")).stats.sizes).toBeNull();
  });
});
