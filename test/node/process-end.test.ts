import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { openNodeStore, storeFolder } from "../support/open-node-store.ts";
import { programFile } from "../support/programs.ts";

/** Runs a process to its end, which nobody brings about. */
async function run(what: string, dir: string): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [programFile("test/node/store-child.ts"), what, dir]);
  onTestFinished(() => void child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = (await once(child, "close")) as [unknown];
  return { code, stdout, stderr };
}

test.each([
  ["with await using", "write", "open\n"],
  ["that closed its store", "close", "\n"],
  ["that forgot to close it, when its calls are answered", "forget", "1\n"],
])("a process %s ends by itself, without a word on stderr", async (_, what, stdout) => {
  const dir = storeFolder();
  expect(await run(what, dir)).toEqual({ code: 0, stdout, stderr: "" });
  const store = await openNodeStore({ dir });
  expect(await store.check()).toMatchObject({ ok: true });
});
