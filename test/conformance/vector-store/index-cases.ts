import { expect, test } from "vitest";
import type { VectorRebuildProgress } from "../../../src/contracts/vectors.ts";
import { VectorCorpus } from "../../support/vector-corpus.ts";
import type { VectorStoreUnderTest } from "../vector-store.ts";
import { type FilledStore, filledStore } from "./filled-store.ts";

/** What a store tells of its indexes, and making them anew. */
export function vectorIndexCases({ opened, recall }: VectorStoreUnderTest): void {
  const expectServes = async ({ vectors, table, records, oracle }: FilledStore): Promise<void> => {
    let near = 0;
    let wanted = 0;
    for (const { vector } of records.slice(0, 10)) {
      const { hits } = await vectors.search(table.indexId, vector, { modelVersion: "1", k: 10 });
      const checked = oracle.check(hits, vector, 10);
      near += checked.near;
      wanted += checked.wanted;
    }
    expect(near / wanted).toBeGreaterThanOrEqual(recall);
  };

  test("tells of an index what it holds and how it is searched", async () => {
    const filled = await filledStore(opened(), { count: 200 });
    const { vectors, table } = filled;
    const info = await vectors.info(table.indexId);
    expect(info).toEqual({ ...table, generations: [expect.anything()], lastError: null });
    const [index] = info.generations;
    expect(index).toMatchObject({ modelVersion: "1", vectors: 200 });
    // What is searched where it is stored has no memory of its own.
    const [report] = await vectors.openReports();
    if (report?.source !== "stored") expect(index?.memoryBytes).toBeGreaterThan(200 * 17);
    expect(index?.revision).toBeGreaterThan(0);
    expect((index?.linked ?? 0) + (index?.unlinked ?? 0)).toBe(200);
    expect(["sq8", "f32"]).toContain(index?.quantization);
    if (index?.engine === "hnsw") {
      expect(index.linked).toBe(200);
      expect(index.levels[0]).toBe(200);
      expect(index.levels).toEqual([...index.levels].sort((a, b) => b - a));
      const { plan } = await vectors.search(table.indexId, filled.records[0]!.vector, { modelVersion: "1", k: 1 });
      expect(plan).toMatchObject({ kind: "walk", unlinked: 0 });
    } else if (index?.engine === "ivf") {
      expect(index).toMatchObject({ linked: 200, unlinked: 0, levels: [], quantization: "f32" });
      expect(index.memoryBytes).toBeGreaterThan(200 * 17);
    } else {
      expect(index).toMatchObject({ engine: "flat", linked: 0, unlinked: 200, levels: [] });
    }
  });

  test("reports what opening an index did, each once", async () => {
    const { vectors, table, corpus } = await filledStore(opened(), { count: 20 });
    const stray = corpus.record(table, 0, new Float32Array(17).fill(1), "2");
    await vectors.upsert(table.indexId, [stray]);
    await corpus.mark(table, [stray]);
    for (let again = 0; again < 2; again++) {
      for (const modelVersion of ["1", "2"]) {
        await vectors.search(table.indexId, new Float32Array(17).fill(1), { modelVersion, k: 1 });
      }
    }
    const reports = await vectors.openReports();
    const stored = reports[0]?.source === "stored";
    expect(reports).toEqual(
      [
        ["1", 20],
        ["2", 1],
      ].map(([modelVersion, count]) => ({
        tableName: table.tableName,
        modelVersion,
        source: stored ? "stored" : "rebuilt",
        reason: stored ? null : (expect.stringMatching(/snapshot/u) as string),
        vectors: count,
        replayed: 0,
        elapsedMs: expect.any(Number) as number,
      })),
    );
  });

  test("counts nothing and tells of nothing where nothing is", async () => {
    const { vectors } = opened();
    const { indexId } = await vectors.ensureTable({ modelId: "test", dimensions: 2 });
    expect(await vectors.count(indexId)).toBe(0);
    expect(await vectors.count(indexId, "1")).toBe(0);
    expect((await vectors.info(indexId)).generations).toEqual([]);
    expect(await vectors.openReports()).toEqual([]);
    await vectors.flush();
  });

  test("makes an index anew, with progress, and serves the same", async () => {
    const filled = await filledStore(opened(), { count: 600, dimensions: 4 });
    const { vectors, table } = filled;
    const seen: VectorRebuildProgress[] = [];
    await vectors.rebuild(table.indexId, "1", { onProgress: (progress) => seen.push(progress) });
    const ofPhase = (wanted: string): VectorRebuildProgress[] => seen.filter(({ phase }) => phase === wanted);
    expect(ofPhase("reading").at(-1)).toEqual({ phase: "reading", done: 600, total: 600 });
    // Where there is a graph, it is whole at the end.
    for (const last of ofPhase("linking").slice(-1)) expect(last).toEqual({ phase: "linking", done: 600, total: 600 });
    for (const phase of ["reading", "linking"]) {
      const steps = ofPhase(phase).map(({ done }) => done);
      expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    }
    await vectors.flush();
    await expectServes(filled);
    expect((await vectors.info(table.indexId)).generations).toMatchObject([{ vectors: 600 }]);
    expect(await vectors.openReports()).toMatchObject([{ source: "rebuilt", vectors: 600 }]);
  });

  test("takes in what is written during a rebuild", async () => {
    const filled = await filledStore(opened(), { count: 600, dimensions: 4 });
    const { vectors, table, oracle, records } = filled;
    const gone = records.slice(0, 100).map(({ chunkId }) => chunkId);
    let deleted: Promise<number> | undefined;
    await vectors.rebuild(table.indexId, "1", {
      onProgress: () => void (deleted ??= vectors.deleteByChunkIds(table.indexId, gone)),
    });
    expect(await deleted).toBe(100);
    oracle.delete(gone);
    await expectServes(filled);
  });

  test("serves as it was after a rebuild that was aborted, before it began or in its midst", async () => {
    const filled = await filledStore(opened(), { count: 600, dimensions: 4 });
    const { vectors, table } = filled;
    const reason = new Error("enough");
    const before = await vectors.info(table.indexId);
    const early = vectors.rebuild(table.indexId, "1", { signal: AbortSignal.abort(reason) });
    await expect(early).rejects.toMatchObject({ name: "StorageError", code: "ABORTED", cause: reason });
    const stop = new AbortController();
    const late = vectors.rebuild(table.indexId, "1", {
      signal: stop.signal,
      onProgress: () => stop.abort(reason),
    });
    await expect(late).rejects.toMatchObject({ name: "StorageError", code: "ABORTED" });
    expect(await vectors.info(table.indexId)).toEqual(before);
    await expectServes(filled);
    await vectors.rebuild(table.indexId, "1");
    await expectServes(filled);
  });

  test("compares itself with the exact scan", async () => {
    const { vectors, table } = await filledStore(opened(), { count: 300 });
    const whole = await vectors.selfCheck(table.indexId, "1");
    expect(whole.sample).toBe(100);
    expect(whole.recall).toBeGreaterThanOrEqual(recall);
    expect(whole.recall).toBeLessThanOrEqual(1);
    expect(await vectors.selfCheck(table.indexId, "1", { sample: 7 })).toMatchObject({ sample: 7 });
    expect(await vectors.selfCheck(table.indexId, "1", { sample: 1000 })).toMatchObject({ sample: 300 });
  });

  test("finds no fault with an index that is empty", async () => {
    const { vectors, table, records } = await filledStore(opened(), { count: 3 });
    await vectors.deleteByChunkIds(
      table.indexId,
      records.map(({ chunkId }) => chunkId),
    );
    expect(await vectors.selfCheck(table.indexId, "1")).toEqual({ recall: 1, sample: 0 });
  });

  test("says NOT_FOUND for a generation that is not there, where one is needed", async () => {
    const { vectors, db } = opened();
    await VectorCorpus.create(db, 1);
    const { indexId } = await vectors.ensureTable({ modelId: "test", dimensions: 2 });
    const missing = { name: "StorageError", code: "NOT_FOUND", capability: "vectors" };
    await expect(vectors.rebuild(indexId, "1")).rejects.toMatchObject({ ...missing, operation: "rebuild" });
    await expect(vectors.selfCheck(indexId, "1")).rejects.toMatchObject({ ...missing, operation: "selfCheck" });
  });
}
