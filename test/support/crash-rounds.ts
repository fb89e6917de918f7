import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { AnyVectorStore } from "../../src/store/embeddings/vector-side.ts";
import { expectConverges, expectKept, Promised } from "./crash-checks.ts";
import { CRASH_STEPS, type CrashLine, type CrashOrder } from "./crash-steps.ts";
import { openEmbeddingStore } from "./open-embedding-store.ts";
import { TestEmbedder } from "./test-embedder.ts";
import { programFile } from "./programs.ts";

const CHILD = programFile("test/support/embedding-crash-child.ts");

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

/** How the store of the rounds is made. */
export interface CrashWay {
  order: Pick<CrashOrder, "apart" | "lance">;
  /** Longest life of a process that is killed at random after it is ready, in milliseconds. */
  longestMs: number;
  vectors: (db: SqlDatabase, file: string) => AnyVectorStore;
}

/** Kills a process that works on a store, at a step or at random, and looks at what is left; so many times on the same store.
 *  @returns how often it was killed where. */
export async function crashRounds(
  rounds: number,
  { order, longestMs, vectors }: CrashWay,
): Promise<Map<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), "lodestore-crash-"));
  const file = join(folder, "lodestore.db");
  const promised = new Promised();
  const killed = new Map<string, number>();
  const seed = Date.now() >>> 0;
  const random = (below: number): number => Math.floor(Math.random() * below);
  try {
    for (let round = 0; round < rounds; round++) {
      const step = round % 3 === 2 ? null : (CRASH_STEPS[Math.ceil((round * 2) / 3) % CRASH_STEPS.length] ?? null);
      const occurrence = 1 + random(step?.includes("generation") === true ? 1 : 12);
      const whole: CrashOrder = { file, ...order, seed: seed + round, first: round === 0, step, occurrence };
      const lines = await crash(whole, random(longestMs));
      const at = lines.flatMap((line) => ("killed" in line ? [line.killed] : []))[0] ?? "at random";
      killed.set(at, (killed.get(at) ?? 0) + 1);
      promised.hear(lines);
      const version = String(1 + random(3));
      await using opened = await openEmbeddingStore({
        path: file,
        embedder: new TestEmbedder(version, 3),
        vectors: (db) => vectors(db, file),
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
  if (rounds >= 100) expect([...killed.keys()]).toEqual(expect.arrayContaining([...CRASH_STEPS, "at random"]));
  return killed;
}
