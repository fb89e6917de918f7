import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openStore } from "../../src/node.ts";
import { notes } from "../support/open-node-store.ts";
import { programFile } from "../support/programs.ts";

const CHILD = programFile("test/support/adopt-child.ts");
const ROUNDS = Number(process.env["LODESTORE_CRASH_ROUNDS"] ?? "4");
const DOCUMENTS = 600;
/** Longest life of a process after it began to open the store, in milliseconds. */
const LONGEST_MS = 2500;

/** Runs the process until it is dead. */
function crash(dir: string, afterMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, dir], { stdio: ["ignore", "pipe", "pipe"] });
    let wrong = "";
    child.stderr.setEncoding("utf8").on("data", (data: string) => (wrong += data));
    child.stdout.once("data", () => setTimeout(() => child.kill("SIGKILL"), afterMs));
    child.on("error", reject);
    child.on("close", (_code, signal) => {
      if (signal === "SIGKILL") resolve();
      else reject(new Error(`the process ended by itself (${signal}): ${wrong}`));
    });
  });
}

test(
  "vectors that are moved to another engine survive a process that is killed, whenever that is",
  { timeout: 60_000 * Math.max(2, ROUNDS) },
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "lodestore-adopt-"));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const options = { dir, embedder: { kind: "hashing", dimensions: 32 }, readers: 0, embedOnOpen: false } as const;
    const query = { text: "kiln burns", mode: "vector", k: DOCUMENTS } as const;
    let expected: string[];
    {
      await using store = await openStore({ ...options, vectors: "hnsw" });
      await store.ingest(notes(DOCUMENTS), { embed: "wait" });
      expected = (await store.search(query)).hits.map(({ chunkId }) => chunkId).sort();
      expect(expected).toHaveLength(DOCUMENTS);
    }
    for (let round = 0; round < ROUNDS; round++) {
      await crash(dir, Math.floor((LONGEST_MS * (round + Math.random())) / ROUNDS));
      // Whatever was moved by then, into either engine.
      for (const vectors of round % 2 === 0 ? (["lance", "hnsw"] as const) : (["hnsw", "lance"] as const)) {
        await using store = await openStore({ ...options, vectors });
        expect(await store.embeddings.status()).toMatchObject({ committed: DOCUMENTS, missing: 0 });
        const found = (await store.search(query)).hits.map(({ chunkId }) => chunkId).sort();
        expect(found).toEqual(expected);
        expect(await store.check()).toMatchObject({ ok: true });
      }
    }
  },
);
