import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { expectConverges, expectKept, Promised } from "../support/crash-checks.ts";
import { CRASH_STEPS, type CrashLine, type CrashOrder } from "../support/crash-steps.ts";
import { openEmbeddingStore } from "../support/open-embedding-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { hookedVectors } from "../support/vector-stores.ts";

const CHILD = fileURLToPath(new URL("../support/embedding-crash-child.ts", import.meta.url));
/** Rounds of both ways together: 500 in `LODESTORE_CRASH_ROUNDS=500 npx vitest run test/store/embeddings-crash.test.ts`. */
const ROUNDS = Number(process.env["LODESTORE_CRASH_ROUNDS"] ?? 40);

/** Runs the process until it is dead, and returns what it said. @param killAfterMs After it is ready; for an order without a step. */
function crash(order: CrashOrder, killAfterMs: number): Promise<CrashLine[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, JSON.stringify(order)], { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    let wrong = "";
    let timed = false;
    child.stdout.setEncoding("utf8").on("data", (data: string) => {
      said += data;
      if (timed || !said.includes("ready")) return;
      timed = true;
      // A step that never comes must not let it run for ever.
      setTimeout(() => child.kill("SIGKILL"), order.step === null ? killAfterMs : 2000);
    });
    child.stderr.setEncoding("utf8").on("data", (data: string) => (wrong += data));
    child.on("error", reject);
    child.on("close", (_code, signal) => {
      if (signal !== "SIGKILL") return reject(new Error(`the process ended by itself (${signal}): ${wrong}`));
      resolve(
        said
          .split("\n")
          .filter((line) => line.endsWith("}"))
          .map((line) => JSON.parse(line) as CrashLine),
      );
    });
  });
}

describe.concurrent.each([
  { way: "in one transaction", apart: false },
  { way: "phase by phase", apart: true },
])("embeddings written $way", ({ apart }) => {
  test("are whole whenever the process is killed", { timeout: 60_000 + ROUNDS * 2000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "lodestore-crash-"));
    const file = join(folder, "lodestore.db");
    const promised = new Promised();
    const killed = new Map<string, number>();
    const seed = Date.now() >>> 0;
    const random = (below: number): number => Math.floor(Math.random() * below);
    try {
      for (let round = 0; round < ROUNDS / 2; round++) {
        const step = round % 3 === 2 ? null : (CRASH_STEPS[Math.ceil((round * 2) / 3) % CRASH_STEPS.length] ?? null);
        const occurrence = 1 + random(step?.includes("generation") === true ? 1 : 12);
        const order: CrashOrder = { file, apart, seed: seed + round, first: round === 0, step, occurrence };
        const lines = await crash(order, random(60));
        const at = lines.flatMap((line) => ("killed" in line ? [line.killed] : []))[0] ?? "at random";
        killed.set(at, (killed.get(at) ?? 0) + 1);
        promised.hear(lines);
        const version = String(1 + random(3));
        await using opened = await openEmbeddingStore({
          path: file,
          embedder: new TestEmbedder(version, 3),
          vectors: (db) => hookedVectors(db, apart, () => {}),
        });
        await expectKept(opened, promised);
        if (round % 2 === 1) {
          await expectConverges(opened, version);
          promised.embedded(version);
        }
      }
    } catch (error) {
      throw new Error(`seed ${seed}, killed ${JSON.stringify([...killed])}`, { cause: error });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    if (process.env["LODESTORE_CRASH_ROUNDS"] !== undefined) process.stderr.write(`${JSON.stringify([...killed])}\n`);
    if (ROUNDS >= 200) expect([...killed.keys()]).toEqual(expect.arrayContaining([...CRASH_STEPS, "at random"]));
  });
});
