import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openTestStore } from "../support/open-test-store.ts";
import { programFile } from "../support/programs.ts";

const CHILD = programFile("test/support/chat-child.ts");

/** Appends in a process that is killed when it has said so many lines. @returns what it said was durable. */
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

test.each([1, 4, 23, 60, 141])(
  "a process that is killed after %i turns loses none, and leaves no gap",
  async (lines) => {
    const folder = mkdtempSync(join(tmpdir(), "lodestore-chat-killed-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "lodestore.db");
    const said = await killed(path, lines);
    expect(said.length).toBeGreaterThanOrEqual(lines);
    const { store } = await openTestStore(path);
    expect(await store.openReport()).toMatchObject({ migrations: [], rebuilt: [] });
    const kept: string[] = [];
    for (const { id, turnCount } of (await store.chat.listSessions()).items) {
      const { items } = await store.chat.listTurns(id, { limit: 1000 });
      expect(items.map(({ index }) => index)).toEqual(Array.from({ length: turnCount }, (_, n) => n));
      kept.push(...items.map(({ index, text }) => `${id} ${index} ${text}`));
    }
    expect(kept).toEqual(expect.arrayContaining(said));
    expect((await store.chat.searchTurns({ text: "round", k: 1000 })).hits).toHaveLength(kept.length);
    expect(await store.check()).toMatchObject({ ok: true });
    const [session] = (await store.chat.listSessions()).items;
    const next = await store.chat.appendTurn(session?.id ?? "", { role: "user", text: "after" });
    expect(next.index).toBe(session?.turnCount);
    await store.close();
  },
);
