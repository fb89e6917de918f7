import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openTestStore } from "../support/open-test-store.ts";
import { programFile } from "../support/programs.ts";

const CHILD = programFile("test/support/eval-child.ts");

/** Runs suites in a process that is killed when it has said so many lines. @returns what it said. */
function killed(path: string, lines: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, path], { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    let wrong = "";
    child.stdout.setEncoding("utf8").on("data", (data: string) => {
      said += data;
      if (said.split("\n").length > lines) child.kill("SIGKILL");
    });
    child.stderr.setEncoding("utf8").on("data", (data: string) => (wrong += data));
    child.on("error", reject);
    child.on("close", (_code, signal) => {
      if (signal === "SIGKILL") resolve(said.split("\n").slice(0, -1));
      else reject(new Error(`the process ended by itself (${signal}): ${wrong}`));
    });
  });
}

test.each([2, 3, 9])(
  "a run whose process is killed after %i lines is interrupted, and never compared",
  async (lines) => {
    const folder = mkdtempSync(join(tmpdir(), "lodestore-eval-killed-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "lodestore.db");
    const [short = "", ...told] = await killed(path, lines);
    const [long = "", done = ""] = (told.at(-1) ?? "").split(" ");
    const { store } = await openTestStore(path);
    const run = await store.evaluations.getRun(long);
    expect(run).toMatchObject({
      status: "interrupted",
      error: "its process ended",
      aggregates: null,
      queryCount: 10_000,
    });
    expect(run!.doneCount).toBeGreaterThanOrEqual(Number(done));
    expect(run!.doneCount % 50).toBe(0);
    let results = 0;
    let cursor: string | undefined;
    do {
      const page = await store.evaluations.listResults(long, {
        limit: 1000,
        ...(cursor === undefined ? {} : { cursor }),
      });
      results += page.items.length;
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(results).toBe(run!.doneCount);
    await expect(store.evaluations.compare(short, long)).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(store.evaluations.compare(long, long)).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await store.evaluations.getRun(short)).toMatchObject({ status: "completed", doneCount: 3 });
    expect(await store.check()).toMatchObject({ ok: true });
    expect(await store.evaluations.deleteRun(long)).toBe(true);
    await store.close();
  },
);
