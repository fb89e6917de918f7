import { describe, expect, onTestFinished, test } from "vitest";
import { deleteOpfsStore } from "../../src/drivers/sql-opfs.ts";
import { connect } from "../../src/rpc/client.ts";
import { workerEndpoint } from "../../src/rpc/endpoint.ts";
import { expectConverges, expectKept, Promised } from "../support/crash-checks.ts";
import { CRASH_STEPS, type CrashLine, type CrashOrder } from "../support/crash-steps.ts";
import type { CrashHost } from "../support/embedding-crash-worker.ts";

/** Rounds of each way of writing. */
const ROUNDS = 25;

function startWorker(): Worker {
  return new Worker(new URL("../support/embedding-crash-worker.ts", import.meta.url), { type: "module" });
}

/** Lets a worker work on the store until it is terminated: at the step of the order, or some time after it is ready. */
async function crash(order: CrashOrder, killAfterMs: number): Promise<CrashLine[]> {
  const worker = startWorker();
  const lines: CrashLine[] = [];
  const { proxy } = await connect<CrashHost>(workerEndpoint(worker));
  const say = async (line: CrashLine): Promise<void> => {
    lines.push(line);
    if ("killed" in line) worker.terminate();
    // A step that never comes must not let it run for ever.
    if ("ready" in line) setTimeout(() => worker.terminate(), order.step === null ? killAfterMs : 1000);
  };
  // The call ends when the worker is gone and has let go of the store.
  await expect(proxy.loop(order, say)).rejects.toMatchObject({ code: "OWNER_LOST" });
  return lines;
}

describe.each([
  { way: "in one transaction", apart: false },
  { way: "phase by phase", apart: true },
])("embeddings in OPFS written $way", ({ apart }) => {
  test("are whole whenever the worker is terminated", { timeout: 240_000 }, async () => {
    const file = `crash-${apart ? "apart" : "whole"}-${Date.now()}`;
    onTestFinished(() => deleteOpfsStore(file));
    const promised = new Promised();
    const killed = new Map<string, number>();
    const random = (below: number): number => Math.floor(Math.random() * below);
    for (let round = 0; round < ROUNDS; round++) {
      const step = round % 3 === 2 ? null : (CRASH_STEPS[Math.ceil((round * 2) / 3) % CRASH_STEPS.length] ?? null);
      const occurrence = 1 + random(step?.includes("generation") === true ? 1 : 12);
      const lines = await crash(
        { file, apart, seed: random(2 ** 32), first: round === 0, step, occurrence },
        random(200),
      );
      const at = lines.flatMap((line) => ("killed" in line ? [line.killed] : []))[0] ?? "at random";
      killed.set(at, (killed.get(at) ?? 0) + 1);
      promised.hear(lines);

      const version = String(1 + random(3));
      const { proxy, terminate } = await connect<CrashHost>(workerEndpoint(startWorker()));
      const opened = await proxy.open(file, apart, version);
      await expectKept(opened, promised);
      if (round % 2 === 1) {
        await expectConverges(opened, version);
        promised.embedded(version);
      }
      await opened.store.close();
      terminate();
    }
    expect([...killed.values()].reduce((sum, times) => sum + times, 0)).toBe(ROUNDS);
    expect(killed.size).toBeGreaterThan(5);
  });
});
