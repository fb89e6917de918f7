import { spawn } from "node:child_process";
import { once } from "node:events";
import { watch } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Document, IngestReport, Page } from "../../src/node.ts";
import { lodestore, lodestoreJson, makeFolder, manyNotes, start, untilSomethingIsIn } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 120_000 });

const FILES = 3000;

describe.skipIf(process.platform === "win32")("Ctrl-C", () => {
  test("stops an ingest with whole documents only, says what is in, and the next run goes on from there", async () => {
    const folder = makeFolder(manyNotes(FILES));
    const running = start(folder, ["ingest", "docs"]);
    await untilSomethingIsIn(folder);
    // npm passes the signal on that the terminal has sent already: the second one is the same.
    running.child.kill("SIGINT");
    running.child.kill("SIGINT");
    const { code, stdout, stderr } = await running.ended;
    expect([code, stdout]).toEqual([130, ""]);
    const taken = Number(/cancelled: ([\d,]+) documents? taken in/.exec(stderr)?.[1]?.replaceAll(",", ""));
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(FILES);

    const doctor = await lodestoreJson<{ ok: boolean; stats: { documents: number } }>(folder, "doctor");
    expect(doctor).toMatchObject({ ok: true, stats: { documents: taken, chunks: taken * 2 } });
    const again = await lodestoreJson<IngestReport>(folder, "ingest", "docs");
    expect(again).toMatchObject({ skipped: taken, added: FILES - taken, failures: [] });
  });

  test("with --json is an error object", async () => {
    const folder = makeFolder(manyNotes(FILES));
    await lodestore(folder, "ingest", "docs/n0000.md");
    // Nothing is said on the way with --json; that the store is open shows in its folder.
    const watcher = watch(join(folder, ".lodestore"));
    onTestFinished(() => watcher.close());
    const opened = once(watcher, "change");
    const running = start(folder, ["ingest", "docs", "--json"]);
    await opened;
    running.child.kill("SIGINT");
    const { code, stdout, stderr } = await running.ended;
    expect([code, stdout]).toEqual([130, ""]);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: "ABORTED", operation: "ingest" } });
  });

  test("pressed twice ends the process at once, but not when it is the same press", async () => {
    const module = pathToFileURL(resolve(import.meta.dirname, "../../src/cli/interrupt.ts")).href;
    // Each signal is answered on stdout, so that the next one is sent only when it has been handled.
    const script = `
      import { listenForInterrupt } from ${JSON.stringify(module)};
      let now = 0;
      performance.now = () => now;
      const kill = process.kill.bind(process);
      process.kill = (pid, name) => {
        console.log("ends itself by " + name);
        process.off("SIGINT", seen);
        return kill(pid, name);
      };
      const seen = () => console.log("seen");
      const interrupt = listenForInterrupt(() => console.log("first"));
      process.on("SIGINT", seen);
      process.on("SIGUSR2", () => { now = 1000; console.log("later", interrupt.signal.aborted); });
      setInterval(() => {}, 1000);
      console.log("ready");`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const ended = once(child, "close");
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (data: string) => (output += data));
    const says = async (text: string): Promise<void> => {
      while (!output.includes(text) && child.exitCode === null && child.signalCode === null) {
        await Promise.race([once(child.stdout, "data"), ended]);
      }
    };
    await says("ready\n");
    child.kill("SIGINT");
    await says("first\nseen\n");
    child.kill("SIGINT");
    await says("seen\nseen\n");
    child.kill("SIGUSR2");
    await says("later true\n");
    child.kill("SIGINT");
    expect(await ended).toEqual([null, "SIGINT"]);
    expect(output).toBe("ready\nfirst\nseen\nseen\nlater true\nends itself by SIGINT\n");
  });
});

describe("two processes", () => {
  test("one reads while the other writes, and sees whole documents", async () => {
    const folder = makeFolder(manyNotes(FILES));
    const writer = start(folder, ["ingest", "docs"]);
    await untilSomethingIsIn(folder);
    const found = await lodestoreJson<{ hits: unknown[] }>(folder, "search", "glaze", "-k", "5");
    expect(found.hits).toHaveLength(5);
    const { items } = await lodestoreJson<Page<Document>>(folder, "list", "--limit", "1000");
    const last = items.at(-1)?.workspacePath ?? "";
    const shown = await lodestoreJson<{ text: string }>(folder, "show", last);
    expect(shown.text).toBe(manyNotes(FILES)[`docs/${last}`]?.slice(0, -1));
    expect(await writer.ended).toMatchObject({ code: 0 });
    expect(await lodestoreJson(folder, "doctor")).toMatchObject({ ok: true, stats: { documents: FILES } });
  });

  test("write one after the other: the second of two at once is told, and changes nothing", async () => {
    const folder = makeFolder(manyNotes(FILES));
    const writer = start(folder, ["ingest", "docs", "--prefix", "a"]);
    await untilSomethingIsIn(folder);
    const second = await lodestore(folder, "ingest", "docs", "--prefix", "b");
    expect(second).toMatchObject({ code: 3, stdout: "" });
    expect(second.stderr).toMatch(/open for writing already.* \[CONFLICT\]\nAnother process has the store\./);
    expect(await writer.ended).toMatchObject({ code: 0 });
    expect(await lodestore(folder, "ingest", "docs", "--prefix", "b")).toMatchObject({ code: 0 });
    expect(await lodestoreJson(folder, "doctor")).toMatchObject({ ok: true, stats: { documents: 2 * FILES } });
  });
});
