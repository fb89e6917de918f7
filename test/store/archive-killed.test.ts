import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { archiveOf, inPieces } from "../support/archives.ts";
import type { ImportOrder } from "../support/import-child.ts";
import { openEmbeddingStore } from "../support/open-embedding-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { flatVectors, hookedVectors } from "../support/vector-stores.ts";
import { programFile } from "../support/programs.ts";

const CHILD = programFile("test/support/import-child.ts");
const DOCUMENTS = 60;

let folder: string;
let file: string;
let archive: Uint8Array;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lodestore-killed-"));
  await using source = await openEmbeddingStore({ vectors: flatVectors, embedder: new TestEmbedder() });
  await source.store.ingest(
    Array.from({ length: DOCUMENTS }, (_, n) => ({ path: `${n}.md`, content: `# ${n}\n\nglaze ${n} of kilns` })),
    { embed: "wait" },
  );
  archive = await archiveOf(source.store);
  file = join(folder, "archive.tar");
  writeFileSync(file, archive);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Imports in a process that kills itself at a step. @returns what it said before. */
function killed(order: ImportOrder): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, JSON.stringify(order)], { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    let wrong = "";
    child.stdout.setEncoding("utf8").on("data", (data: string) => (said += data));
    child.stderr.setEncoding("utf8").on("data", (data: string) => (wrong += data));
    child.on("error", reject);
    child.on("close", (_code, signal) => {
      if (signal === "SIGKILL") resolve(said);
      else reject(new Error(`the process ended by itself (${signal}): ${said}${wrong}`));
    });
  });
}

const AT: Record<"whole" | "apart", readonly string[]> = {
  whole: [
    "before statement 3",
    "before statement 15",
    "before statement 30",
    "before upsert",
    "after upsert",
    "before commit",
  ],
  apart: ["before statement 10", "before commit", "before upsert", "after upsert", "before commit 2"],
};

describe.each(["whole", "apart"] as const)("an import that is killed, vectors %s,", (way) => {
  test.each(AT[way])("%s, leaves the store as it was", async (step) => {
    const dir = mkdtempSync(join(folder, "store-"));
    const path = join(dir, "lodestore.db");
    const vectors = (db: Parameters<typeof hookedVectors>[0]): ReturnType<typeof hookedVectors> =>
      hookedVectors(db, way === "apart", () => {});
    {
      await using made = await openEmbeddingStore({ path, vectors });
      expect(await made.store.openReport()).toMatchObject({ created: true });
    }
    expect(await killed({ path, file, apart: way === "apart", step })).toContain(`killed ${step}`);
    await using opened = await openEmbeddingStore({ path, vectors });
    const none = { committed: 0, pending: 0, tombstones: 0 };
    expect(await opened.store.stats()).toMatchObject({ documents: 0, chunks: 0, assets: 0, embeddings: none });
    expect((await opened.store.search({ text: "glaze" })).hits).toEqual([]);
    const tables = await opened.vectors.tables();
    // A table of the engine that is apart here cannot be dropped.
    if (way === "whole") expect(tables).toEqual([]);
    for (const { indexId } of tables) expect(await opened.vectors.count(indexId)).toBe(0);
    expect(await opened.store.check()).toMatchObject({ ok: true });
    expect(await opened.store.import(inPieces(archive))).toMatchObject({ documents: DOCUMENTS, embeddings: DOCUMENTS });
    expect((await opened.store.search({ text: "glaze", k: 100 })).hits).toHaveLength(DOCUMENTS);
    expect(await opened.store.check()).toMatchObject({ ok: true });
    expect((await opened.store.openReport()).rebuilt).toHaveLength(
      way === "apart" && /upsert|commit 2/u.test(step) ? 1 : 0,
    );
    // What the killed process left of the file goes when it is old; here it is young.
    expect(readdirSync(dir).filter((name) => /image-[^.]*$/u.test(name)).length).toBeLessThanOrEqual(1);
  });
});
