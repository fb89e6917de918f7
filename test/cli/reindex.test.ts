import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { ReindexReport, VectorTableExamination } from "../../src/node.ts";
import { damage } from "../support/damage.ts";
import { lodestore, lodestoreJson, makeFolder, makeStore, manyNotes, start } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 120_000 });

interface Made {
  vectors: ReindexReport | null;
  text: { elapsedMs: number } | null;
}

interface Figures {
  indexes: VectorTableExamination[];
}

function snapshotOf(folder: string): string | undefined {
  const blobs = join(folder, ".lodestore/blobs");
  const found = readdirSync(blobs, { recursive: true, encoding: "utf8" }).find((path) => path.endsWith(".lhv1"));
  return found === undefined ? undefined : join(blobs, found);
}

describe("lodestore reindex", () => {
  test("makes the index of every model anew, with its snapshot", async () => {
    const folder = await makeStore(manyNotes(12));
    expect(snapshotOf(folder)).toBeUndefined();
    const text = await lodestore(folder, "reindex", "-q");
    expect(text).toMatchObject({ code: 0, stderr: "" });
    expect(text.stdout).toMatch(/^hashing, version 1, 384 dimensions: 24 vectors indexed anew, \d.*\n$/);
    expect(statSync(snapshotOf(folder) ?? "").size).toBeGreaterThan(10_000);
    const { indexes } = await lodestoreJson<Figures>(folder, "stats");
    expect(indexes[0]?.generations[0]).toMatchObject({ vectors: 24, snapshot: { behind: 0, problem: null } });
    const json = await lodestoreJson<Made>(folder, "reindex", "--model", "hashing");
    expect(json).toMatchObject({ text: null, vectors: { indexes: [{ modelId: "hashing", vectors: 24 }] } });
  });

  test("refuses a model that it has no vectors of, naming those that there are", async () => {
    const folder = await makeStore(manyNotes(12));
    expect(await lodestore(folder, "reindex", "--model", "hashin")).toMatchObject({
      code: 2,
      stdout: "",
      stderr:
        'lodestore reindex: the store has no vectors of the model "hashin"; it has those of hashing\nDid you mean: --model hashing\n',
    });
    const json = await lodestore(folder, "reindex", "--model", "bge", "--json");
    expect([json.code, JSON.parse(json.stderr)]).toEqual([
      2,
      { error: expect.objectContaining({ code: "NOT_FOUND", operation: "reindex" }) as object },
    ]);
    expect(await lodestore(folder, "reindex", "hashing")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('To name a model: lodestore reindex --model "hashing"'),
    });
  });

  test("makes the text index anew, and vectors with it only where a model is named", async () => {
    const folder = await makeStore(manyNotes(12));
    damage(join(folder, ".lodestore/lodestore.db"), (db) => db.exec("DELETE FROM chunks_fts_data WHERE id > 10"));
    expect(await lodestore(folder, "doctor")).toMatchObject({ code: 1 });
    const text = await lodestore(folder, "reindex", "--text", "-q");
    expect(text).toMatchObject({ code: 0, stdout: expect.stringMatching(/^The text index was made anew, \d.*\n$/) });
    expect(await lodestore(folder, "doctor")).toMatchObject({ code: 0 });
    expect(await lodestore(folder, "search", "kilns")).toMatchObject({ code: 0 });
    const both = await lodestoreJson<Made>(folder, "reindex", "--text", "--model", "hashing");
    expect(both).toMatchObject({ text: { elapsedMs: expect.any(Number) }, vectors: { indexes: [{ vectors: 24 }] } });
  });

  test("says so where there are no vectors, and makes no store", async () => {
    const folder = makeFolder(manyNotes(1));
    expect(await lodestore(folder, "reindex")).toMatchObject({ code: 3, stdout: "" });
    await lodestore(folder, "ingest", "docs", "--embedder", "none");
    expect(await lodestore(folder, "reindex")).toMatchObject({
      code: 0,
      stdout: "There are no vectors to make an index of: lodestore embed makes some\n",
    });
    expect((await lodestore(folder, "reindex", "--model", "hashing")).stderr).toContain("it has none at all");
  });

  test.skipIf(process.platform === "win32")("stops at Ctrl-C, and the index serves", async () => {
    const folder = await makeStore(manyNotes(5010));
    const running = start(folder, ["reindex"]);
    await running.saysOnStderr("reading");
    running.child.kill("SIGINT");
    const { code, stdout, stderr } = await running.ended;
    expect([code, stdout]).toEqual([130, ""]);
    expect(stderr).toContain("cancelled: indexes that are done stay, the others serve as they were");
    expect(await lodestore(folder, "search", "kilns", "--mode", "vector", "-k", "1")).toMatchObject({ code: 0 });
    expect(await lodestore(folder, "doctor")).toMatchObject({ code: 0 });
  });
});

describe("lodestore stats", () => {
  test("tells of the snapshot, what changed since, and that it cannot be used", async () => {
    const folder = await makeStore(manyNotes(12));
    await lodestore(folder, "reindex", "-q");
    const fresh = await lodestore(folder, "stats");
    expect(fresh.stdout).toMatch(
      /\nVectors: vectors-hnsw\nIndex chunk_embeddings_hashing_384: cosine, 384 dimensions\n {2}version 1: 24 vectors, flat \(scanned\), f32\n {4}memory .*\n {4}stored vectors 18\.1 KiB\n {4}snapshot [\d.]+ KiB, .* old, at change \d+, 0 newer changes\n$/,
    );
    damage(join(folder, ".lodestore/lodestore.db"), (db) =>
      db.exec(
        "DELETE FROM chunk_embeddings_hashing_384 WHERE vector_key = 1; UPDATE vector_generations SET log_start = 900",
      ),
    );
    const { indexes } = await lodestoreJson<Figures>(folder, "stats");
    expect(indexes).toMatchObject([
      {
        driver: "vectors-hnsw",
        generations: [{ vectors: 23, index: { vectors: 23 }, snapshot: { problem: expect.stringContaining("log") } }],
      },
    ]);
    expect((await lodestore(folder, "stats")).stdout).toContain("not usable: ");
  });
});
