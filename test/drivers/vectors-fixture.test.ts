import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  FIXTURE_MODEL,
  fixtureVector,
  generateFixture,
  type Lhv1Fixture,
  lhv1Fixtures,
} from "../../scripts/generate-lhv1-fixture.ts";
import type { VectorRecord, VectorTable } from "../../src/contracts/vectors.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { readLhv1 } from "../../src/formats/lhv1.ts";
import { openSnapshotStore } from "../support/snapshot-store-case.ts";
import { sqlDatabases } from "../support/sql-databases.ts";
import { VectorCorpus } from "../support/vector-corpus.ts";
import { VectorOracle } from "../support/vector-oracle.ts";

const FOLDER = new URL("../fixtures/lhv1/", import.meta.url);
const [{ open: openDatabase }] = sqlDatabases as [(typeof sqlDatabases)[number]];
const readFixture = (file: string): Uint8Array => Uint8Array.from(readFileSync(new URL(file, FOLDER)));

/** What the format fixes of a file, whatever way its graph was linked: the envelope, and level, scale, offset and code of each label. */
function contentOf(bytes: Uint8Array, { dimensions, quantization, count }: Lhv1Fixture): unknown {
  const { envelope, graph } = readLhv1(bytes);
  const view = new DataView(graph.slice().buffer);
  const labels = Math.ceil((64 + count) / 8) * 8;
  const uppers = Math.ceil((labels + 4 * count) / 8) * 8;
  const records = uppers + 16 * view.getUint32(20, true);
  const stride = view.getUint32(24, true);
  const codeBytes = (quantization === "sq8" ? 1 : 4) * Math.ceil(dimensions / 16) * 16;
  const nodes = Array.from({ length: count }, (_, node) => {
    const record = records + node * stride;
    const hex = Buffer.from(graph.subarray(record + 32, record + 32 + codeBytes)).toString("hex");
    return [
      view.getUint32(labels + 4 * node, true),
      view.getUint8(64 + node),
      view.getFloat32(record, true),
      view.getFloat32(record + 4, true),
      hex,
    ] as const;
  });
  const { checksum: _whole, graph: _graph, ...fields } = envelope;
  const header = Buffer.from(graph.subarray(0, 16)).toString("hex");
  return { fields, header, stride, blocks: view.getUint32(20, true), nodes: nodes.sort(([a], [b]) => a - b) };
}

test("there is a file for each fixture of the generator, and no other", () => {
  expect(readdirSync(FOLDER).toSorted()).toEqual(lhv1Fixtures.map(({ file }) => file).toSorted());
  let total = 0;
  for (const { file } of lhv1Fixtures) total += readFixture(file).length;
  expect(total).toBeLessThan(65_536);
});

describe.each(lhv1Fixtures)("the fixture $file", (fixture) => {
  const { file, dimensions, metric, count, quantization } = fixture;

  test("is what the generator writes, but for its links: another kernel may choose others", () => {
    expect(contentOf(readFixture(file), fixture)).toEqual(contentOf(generateFixture(fixture), fixture));
  });

  test.each(["the file", "the generator's"] as const)(
    "opens, is searched, linked on and written: %s",
    async (which) => {
      await using db = await openDatabase();
      const corpus = await VectorCorpus.create(db, count);
      const blobs = new MemoryBlobStore();
      const rows = openSnapshotStore(db, new MemoryBlobStore());
      const table: VectorTable = await rows.ensureTable({ modelId: FIXTURE_MODEL, dimensions, metric });
      const records: VectorRecord[] = corpus.chunks.map((_, at) =>
        corpus.record(table, at, fixtureVector(at + 1, dimensions)),
      );
      await rows.upsert(table.indexId, records);
      await corpus.mark(table, records);
      const oracle = new VectorOracle(metric, records);
      const key = `_vectors/${table.tableName}.1.lhv1`;
      await blobs.put(key, which === "the file" ? readFixture(file) : generateFixture(fixture));

      // The rows are of today, and a snapshot is no older than what it stands for.
      await db.run("UPDATE vector_generations SET created_at = 0");
      const vectors = openSnapshotStore(db, blobs);
      const expectServes = async (): Promise<void> => {
        for (const { vector } of records) {
          for (const k of [1, 10]) {
            const { hits } = await vectors.search(table.indexId, vector, { modelVersion: "1", k });
            oracle.expectExact(hits, vector, k);
          }
        }
      };
      await expectServes();
      expect(await vectors.openReports()).toMatchObject([
        { source: "snapshot", reason: null, vectors: count, replayed: 0 },
      ]);
      const [index] = (await vectors.info(table.indexId)).generations;
      expect(index).toMatchObject({ vectors: count, quantization, revision: count });
      expect(index?.snapshot).toMatchObject({ revision: count, createdAt: Date.UTC(2026, 0, 1) });
      await vectors.flush();
      // Those that wait are linked where there is a graph already, or where there are enough of them.
      expect((await vectors.info(table.indexId)).generations).toMatchObject([{ linked: count, unlinked: 0 }]);
      await expectServes();
      await vectors.deleteByChunkIds(
        table.indexId,
        records.splice(0, 5).map(({ chunkId }) => chunkId),
      );
      oracle.delete(corpus.chunks.slice(0, 5).map(({ id }) => id));
      await expectServes();
      await vectors.close();
    },
  );
});
