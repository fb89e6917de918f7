import { describe, expect, test } from "vitest";
import type { VectorRecord } from "../../../src/contracts/vectors.ts";
import { type CorpusDocument, FILTERS, randomVectors } from "../../support/vector-corpus.ts";
import type { VectorStoreUnderTest } from "../vector-store.ts";
import { type FilledStore, filledStore } from "./filled-store.ts";

type Allows = (document: CorpusDocument) => boolean;

/** The oracle's form of a filter. */
function recordFilter({ corpus }: FilledStore, allows: Allows): (record: VectorRecord) => boolean {
  const allowed = new Set(corpus.chunks.filter(({ document }) => allows(document)).map(({ id }) => id));
  return ({ chunkId }) => allowed.has(chunkId);
}

/** Searches with filters: k hits wherever k match. */
export function vectorFilterCases({ opened, recall }: VectorStoreUnderTest): void {
  test("finds the nearest that match, k of them wherever k match, for filters of every width", async () => {
    const filled = await filledStore(opened(), { count: 400 });
    const { vectors, table, random, oracle } = filled;
    for (const { filter, allows } of FILTERS) {
      const matches = recordFilter(filled, allows);
      const allowed = oracle.records.filter(matches).length;
      for (const k of [1, 7, 1000]) {
        const [query] = randomVectors(random, 1, 17) as [Float32Array];
        const ask = { modelVersion: "1", k, filters: filter };
        const { hits, plan } = await vectors.search(table.indexId, query, ask);
        // So few are always compared one by one.
        oracle.expectExact(hits, query, k, matches);
        expect(plan).toMatchObject({ kind: "scan", total: 400, allowed });
        const [batched] = await vectors.searchBatch(table.indexId, [query], ask);
        expect(batched?.hits).toEqual(hits);
      }
    }
  });

  describe("that leave much", () => {
    test("still find k wherever k match, also where what matches lies apart from the query", async () => {
      const filled = await filledStore(opened(), { count: 2400, dimensions: 3, metric: "l2" });
      const { vectors, table, random, oracle, corpus, records } = filled;
      const matches = recordFilter(filled, ({ trust }) => trust >= 0.2);
      // What matches moves away: a walk that begins near the query meets none of it.
      const far = records
        .filter((record) => matches(record))
        .map((record) => ({ ...record, vector: record.vector.map((x) => x + 50) }));
      for (let from = 0; from < far.length; from += 1000) {
        await vectors.upsert(table.indexId, far.slice(from, from + 1000));
      }
      oracle.put(far);
      await vectors.flush();
      expect(corpus.chunks.length - far.length).toBeGreaterThan(300);
      let near = 0;
      let wanted = 0;
      for (const query of randomVectors(random, 12, 3)) {
        for (const [k, ef] of [
          [1, 1],
          [3, 4],
          [5, undefined],
        ] as const) {
          const ask = { modelVersion: "1", k, filters: { trustMin: 0.2 }, ...(ef === undefined ? {} : { ef }) };
          const { hits } = await vectors.search(table.indexId, query, ask);
          const checked = oracle.check(hits, query, k, matches);
          if (ef !== undefined && recall < 1) continue;
          near += checked.near;
          wanted += checked.wanted;
        }
      }
      expect(near / wanted).toBeGreaterThanOrEqual(recall);
    });
  });

  test("follow what is written: documents that change, chunks that come and go", async () => {
    const filled = await filledStore(opened(), { count: 40 });
    const { vectors, table, oracle, corpus, records } = filled;
    const { db } = opened();
    const query = (records[0] as VectorRecord).vector;
    const ask = { modelVersion: "1", k: 1000, filters: { lang: "ko" } };
    const korean = new Set(corpus.chunks.filter(({ document }) => document.lang === "ko").map(({ id }) => id));
    const expectKorean = async (): Promise<void> => {
      const { hits } = await vectors.search(table.indexId, query, ask);
      oracle.expectExact(hits, query, 1000, ({ chunkId }) => korean.has(chunkId));
    };
    await expectKorean();
    const moved = corpus.chunks[0]?.document.id ?? "";
    await db.transaction(async (tx) => {
      await tx.run("UPDATE documents SET lang = 'ko' WHERE document_id = $1", [moved]);
      await tx.run("UPDATE kv SET value = value + 1 WHERE key = 'corpus_revision'");
    });
    for (const { id, document } of corpus.chunks) if (document.id === moved) korean.add(id);
    await expectKorean();
    const [gone] = korean;
    await vectors.deleteByChunkIds(table.indexId, [gone as string]);
    oracle.delete([gone as string]);
    await expectKorean();
  });

  test("see only the chunks of the filter in each generation", async () => {
    const filled = await filledStore(opened(), { count: 40 });
    const { vectors, table, corpus } = filled;
    const second = [0, 4, 8].map((at) => corpus.record(table, at, new Float32Array(17).fill(at + 1), "2"));
    await vectors.upsert(table.indexId, second);
    await corpus.mark(table, second);
    const ask = { modelVersion: "2", k: 10, filters: { pathGlob: "notes/*.md" } };
    const { hits } = await vectors.search(table.indexId, new Float32Array(17).fill(1), ask);
    expect(hits.map(({ chunkId }) => chunkId).sort()).toEqual([0, 8].map((at) => corpus.chunks[at]?.id ?? "").sort());
  });
}
