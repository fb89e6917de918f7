import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test, vi } from "vitest";
import type {
  CheckFinding,
  EmbeddingReport,
  EmbeddingStatus,
  RepairReport,
  StoreStats,
  VectorTableExamination,
} from "../../src/node.ts";
import { answerWell, json, SERVER_DIMENSIONS, startEmbeddingServer } from "../support/embedding-server.ts";
import { lodestore, lodestoreJson, makeFolder, manyNotes, start, writeFiles } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 60_000 });

interface Figures {
  stats: StoreStats;
  embeddings: EmbeddingStatus;
  indexes: VectorTableExamination[];
}

interface Examination {
  ok: boolean;
  findings: CheckFinding[];
  fix?: RepairReport;
}

/** Notes that are taken in, not embedded, and a model on a server in `e.json`. */
async function unembedded(url: string, notes: number, spec: object = {}): Promise<string> {
  const model = { kind: "http", api: "openai", url, model: "tiny", dimensions: SERVER_DIMENSIONS, retries: 0 };
  const folder = makeFolder({ ...manyNotes(notes), "e.json": JSON.stringify({ ...model, ...spec }) });
  await lodestore(folder, "ingest", "docs", "--embedder", "none");
  return folder;
}

function change(folder: string, sql: string): void {
  const db = new DatabaseSync(join(folder, ".lodestore/lodestore.db"), { enableForeignKeyConstraints: false });
  try {
    db.exec(sql);
  } finally {
    db.close();
  }
}

describe("lodestore embed", () => {
  test("embeds what is missing, and nothing twice", async () => {
    const folder = makeFolder(manyNotes(2));
    await lodestore(folder, "ingest", "docs", "--embedder", "none");
    const first = await lodestore(folder, "embed", "-q");
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toMatch(/^4 passages embedded, .* \(hashing, version 1, 384 dimensions\)\n$/);
    expect(await lodestore(folder, "embed")).toMatchObject({
      code: 0,
      stdout: "Nothing to embed: every passage has its embedding (hashing, version 1, 384 dimensions)\n",
      stderr: "",
    });
    expect(await lodestoreJson<EmbeddingReport>(folder, "embed")).toMatchObject({ embedded: 0, serving: "1" });
  });

  test("refuses no embedder and words, and makes no store", async () => {
    const folder = makeFolder();
    expect(await lodestore(folder, "embed", "--embedder", "none")).toMatchObject({
      code: 2,
      stderr: "lodestore embed: the embedder is none, and it embeds nothing\n",
    });
    expect(await lodestore(folder, "embed", "docs")).toMatchObject({ code: 2 });
    expect(await lodestore(folder, "embed")).toMatchObject({ code: 3, stdout: "" });
  });

  test("names what the model refused, exits with 1, and tries it again", async () => {
    await using server = await startEmbeddingServer();
    const folder = await unembedded(server.url, 2, { maxBatch: 1 });
    server.next.push(json(400, { error: { message: "too strange" } }));
    const first = await lodestore(folder, "embed", "--embedder", "e.json", "-q");
    expect(first).toMatchObject({ code: 1, stderr: "" });
    expect(first.stdout).toMatch(/^3 passages embedded, 1 failed, .*\n {2}passage [0-9a-f]{32}: .*400.*\n/);
    expect(await lodestoreJson(folder, "embed", "--embedder", "e.json")).toMatchObject({ embedded: 1, failed: 0 });
  });

  test("ends with the model's error where it does not answer, and keeps what is embedded", async () => {
    await using server = await startEmbeddingServer();
    const folder = await unembedded(server.url, 4, { maxBatch: 2 });
    server.next.push(answerWell, json(503, {}));
    const { code, stdout, stderr } = await lodestore(folder, "embed", "--embedder", "e.json", "-q");
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(/^lodestore embed: .*503.*\[\w+\]\nThat is the model's failure; the store is well\./);
    const { embeddings } = await lodestoreJson<Figures>(folder, "stats", "--embedder", "e.json");
    expect(embeddings.committed).toBeGreaterThan(0);
    expect(embeddings.missing).toBe(8 - embeddings.committed);
  });

  test.skipIf(process.platform === "win32")("stops at Ctrl-C and goes on from there", async () => {
    await using server = await startEmbeddingServer();
    const folder = await unembedded(server.url, 6, { maxBatch: 4 });
    const asked = new Promise<void>((resolve) => {
      // The second request is not answered.
      server.next.push(answerWell, () => resolve());
    });
    const running = start(folder, ["embed", "--embedder", "e.json"]);
    await asked;
    running.child.kill("SIGINT");
    const { code, stdout, stderr } = await running.ended;
    expect([code, stdout]).toEqual([130, ""]);
    const kept = Number(/cancelled: (\d+) of 12 passages are embedded, and stay/.exec(stderr)?.[1]);
    expect(kept).toBeGreaterThan(0);
    const again = await lodestoreJson<EmbeddingReport>(folder, "embed", "--embedder", "e.json");
    expect(again).toMatchObject({ embedded: 12 - kept, failed: 0, serving: "1" });
  });

  test.skipIf(process.platform === "win32")("that is killed leaves a sound store, and the next goes on", async () => {
    await using server = await startEmbeddingServer();
    const folder = await unembedded(server.url, 6, { maxBatch: 4 });
    const asked = new Promise<void>((resolve) => server.next.push(answerWell, () => resolve()));
    const running = start(folder, ["embed", "--embedder", "e.json"]);
    await asked;
    running.child.kill("SIGKILL");
    await running.ended;
    expect(await lodestoreJson<Examination>(folder, "doctor")).toMatchObject({ ok: true });
    const again = await lodestoreJson<EmbeddingReport>(folder, "embed", "--embedder", "e.json");
    expect(again.embedded).toBeGreaterThan(0);
    expect(again.embedded).toBeLessThan(12);
    const { embeddings } = await lodestoreJson<Figures>(folder, "stats", "--embedder", "e.json");
    expect(embeddings).toMatchObject({ committed: 12, missing: 0 });
  });

  test("keeps the version that serves where another embeds nothing", async () => {
    await using server = await startEmbeddingServer();
    const folder = await unembedded(server.url, 2, { maxBatch: 1 });
    await lodestore(folder, "embed", "--embedder", "e.json");
    const spec = { kind: "http", api: "openai", url: server.url, model: "tiny", dimensions: SERVER_DIMENSIONS };
    writeFiles(folder, { "e2.json": JSON.stringify({ ...spec, modelVersion: "2", maxBatch: 1, retries: 0 }) });
    server.next.push(...Array.from({ length: 4 }, () => json(400, {})));
    const none = await lodestore(folder, "embed", "--embedder", "e2.json", "-q");
    expect(none).toMatchObject({ code: 1, stdout: expect.stringContaining("Searches still read version 1: ") });
    const whole = await lodestore(folder, "embed", "--embedder", "e2.json", "-q");
    expect(whole).toMatchObject({ code: 0, stdout: expect.not.stringContaining("still") });
    const { embeddings } = await lodestoreJson<Figures>(folder, "stats", "--embedder", "e2.json");
    expect(embeddings).toMatchObject({ serving: "2", building: null });
  });
});

describe("lodestore stats", () => {
  test("counts documents, generations and indexes", async () => {
    const folder = makeFolder(manyNotes(2));
    await lodestore(folder, "ingest", "docs");
    const { code, stdout, stderr } = await lodestore(folder, "stats");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^Store in .*\n2 documents, 4 passages, .* of source\n/);
    expect(stdout).toMatch(
      /\nEvery passage has its embedding of hashing, version 1\nEmbeddings:\n {2}hashing, version 1, 384 dimensions, serving: 4 committed, 0 pending, 0 tombstones\nVectors: vectors-hnsw\nIndex chunk_embeddings_hashing_384: cosine, 384 dimensions\n {2}version 1: 4 vectors, flat \(scanned\), f32\n {4}memory .*\n {4}stored vectors 3\.0 KiB\n {4}no snapshot/,
    );
    const figures = await lodestoreJson<Figures>(folder, "stats");
    expect(figures).toMatchObject({
      stats: { documents: 2, chunks: 4 },
      embeddings: { missing: 0, lastError: null, generations: [{ committed: 4 }] },
      indexes: [{ modelId: "hashing", generations: [{ vectors: 4, index: { engine: "flat" } }] }],
    });
    expect(await lodestore(folder, "stats", "x")).toMatchObject({ code: 2 });
  });

  test("tells what is missing, and of a store without embeddings", async () => {
    const folder = makeFolder(manyNotes(1));
    await lodestore(folder, "ingest", "docs", "--embedder", "none");
    expect((await lodestore(folder, "stats")).stdout).toContain(
      "2 of 2 passages without an embedding of hashing, version 1: lodestore embed\n",
    );
    const none = await lodestoreJson<Figures>(folder, "stats", "--embedder", "none");
    expect(none).toMatchObject({ embeddings: { model: null, generations: [] }, indexes: [] });
  });
});

describe("lodestore doctor --fix", () => {
  test("deletes what nothing needs, after --dry-run said what", async () => {
    const folder = makeFolder(manyNotes(3));
    await lodestore(folder, "ingest", "docs");
    writeFiles(folder, { "docs/n0001.md": "# Other\n\nIt says something else.\n" });
    await lodestore(folder, "ingest", "docs", "--embedder", "none");
    const dry = await lodestore(folder, "doctor", "--fix", "--dry-run");
    expect(dry).toMatchObject({ code: 0 });
    expect(dry.stdout).toMatch(/\nIt would delete:\n {2}2 embeddings of passages that are gone\nAll is well\.\n$/);
    const swept = await lodestore(folder, "doctor", "--fix");
    expect(swept.stdout).toMatch(/\nDeleted:\n {2}2 embeddings of passages that are gone\nAll is well\.\n$/);
    const again = await lodestoreJson<Examination>(folder, "doctor", "--fix");
    const nothing = { tombstones: 0, orphans: 0, lost: 0, dryRun: false };
    expect(again).toMatchObject({ ok: true, fix: { dryRun: false, steps: [], sweep: nothing } });
    expect((await lodestore(folder, "doctor", "--fix")).stdout).toContain("\nThere was nothing to repair.\n");
    expect(await lodestore(folder, "doctor", "--dry-run")).toMatchObject({ code: 2 });
  });

  test("repairs lost vectors: found, deleted, embedded anew", async () => {
    const folder = makeFolder(manyNotes(3));
    await lodestore(folder, "ingest", "docs");
    change(folder, "DELETE FROM chunk_embeddings_hashing_384 WHERE rowid = 1");
    expect(await lodestore(folder, "doctor")).toMatchObject({ code: 1, stdout: expect.stringContaining("PROBLEM") });
    const { code, stdout } = await lodestore(folder, "doctor", "--fix");
    expect(stdout).toMatch(
      /\nDeleted:\n {2}1 record whose vector is lost\n {2}lodestore embed makes anew what is lost\n/,
    );
    expect([code, await lodestore(folder, "embed", "-q")]).toMatchObject([0, { code: 0 }]);
    expect(await lodestoreJson<Examination>(folder, "doctor")).toMatchObject({ ok: true });
  });
});
