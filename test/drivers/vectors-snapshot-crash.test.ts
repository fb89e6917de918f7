import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { VectorOpenReport } from "../../src/contracts/vectors.ts";
import { openFsBlobs } from "../../src/drivers/blobs-fs.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { decodeVector } from "../../src/formats/stored-vector.ts";
import { migrate } from "../../src/sql/migrate.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { CRASH_CHUNKS, openSnapshotStore, type SnapshotCrashOrder } from "../support/snapshot-store-case.ts";
import { randomVectors, VectorCorpus } from "../support/vector-corpus.ts";
import { VectorOracle } from "../support/vector-oracle.ts";
import { Random } from "../wasm/random.ts";
import { programFile } from "../support/programs.ts";

const CHILD = programFile("test/support/snapshot-crash-child.ts");
/** More in `LODESTORE_CRASH_ROUNDS=500 npx vitest run test/drivers/vectors-snapshot-crash.test.ts`. */
const ROUNDS = Number(process.env["LODESTORE_CRASH_ROUNDS"] ?? 20);

/** Runs the process until it is dead. @param killAfterMs After it is about to write, where it does not kill itself. */
function crash(order: SnapshotCrashOrder, killAfterMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, JSON.stringify(order)], { stdio: ["ignore", "pipe", "pipe"] });
    let wrong = "";
    child.stdout.once("data", () => {
      if (order.atPut === 0) setTimeout(() => child.kill("SIGKILL"), killAfterMs);
    });
    child.stderr.setEncoding("utf8").on("data", (data: string) => (wrong += data));
    child.on("error", reject);
    child.on("close", (_code, signal) => {
      if (signal === "SIGKILL") resolve();
      else reject(new Error(`the process ended by itself (${signal}): ${wrong}`));
    });
  });
}

/** What the rows say is committed. */
async function oracleOf(db: SqlDatabase, table: string): Promise<VectorOracle> {
  const rows = await db.all<{ id: string; chunk: string; vector: Uint8Array }>(
    `SELECT v.embedding_id AS id, v.chunk_id AS chunk, v.vector FROM "${table}" v
     JOIN embedding_records r ON r.embedding_id = v.embedding_id WHERE r.status = 'committed'`,
  );
  return new VectorOracle(
    "l2",
    rows.map(({ id, chunk, vector }) => ({
      embeddingId: id,
      chunkId: chunk,
      documentId: "",
      modelVersion: "1",
      vector: decodeVector("i16", vector),
    })),
  );
}

test(
  "a store serves what its rows say, wherever in the writing of a snapshot its process was killed",
  {
    timeout: 60_000 + ROUNDS * 3000,
  },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "lodestore-snapshot-crash-"));
    const file = join(folder, "lodestore.db");
    const blobs = join(folder, "blobs");
    const seed = Date.now() & 0xffff;
    const random = new Random(seed);
    const seen = new Map<string, number>();
    try {
      {
        await using db = await openSqlNode({ path: file, functions: storeFunctions });
        await migrate(db);
        await VectorCorpus.create(db, CRASH_CHUNKS);
      }
      for (let round = 0; round < ROUNDS; round++) {
        const atPut = round % 2 === 0 ? 1 + random.below(2) : 0;
        await crash({ file, blobs, seed: seed + round, atPut, turns: random.below(12) }, random.below(40));
        await using db = await openSqlNode({ path: file, functions: storeFunctions });
        const vectors = openSnapshotStore(db, await openFsBlobs({ dir: blobs }), { m: 16 });
        const [table] = await vectors.tables();
        if (table === undefined) throw new Error("the process made no table");
        const oracle = await oracleOf(db, table.tableName);
        let near = 0;
        let wanted = 0;
        for (const query of randomVectors(random, 3, table.dimensions)) {
          for (const k of [1, 20]) {
            const { hits } = await vectors.search(table.indexId, query, { modelVersion: "1", k });
            const checked = oracle.check(hits, query, k);
            near += checked.near;
            wanted += checked.wanted;
          }
        }
        expect(near / wanted).toBeGreaterThanOrEqual(0.9);
        expect(await vectors.count(table.indexId, "1")).toBeGreaterThanOrEqual(oracle.size);
        const [report] = (await vectors.openReports()) as [VectorOpenReport];
        // A file is whole or absent: nothing was ever found damaged.
        if (report.source === "snapshot") expect(report.reason).toBeNull();
        else
          expect(report.reason).toMatch(/^there is no snapshot yet$|^changes newer than the snapshot are no longer/u);
        seen.set(report.source, (seen.get(report.source) ?? 0) + 1);
        await vectors.close();
        expect(await (await openFsBlobs({ dir: blobs })).list("")).toEqual([`_vectors/${table.tableName}.1.lhv1`]);
      }
      // Otherwise it was killed too early to have written any.
      expect(seen.get("snapshot")).toBeGreaterThan(ROUNDS / 4);
      expect((await readdir(blobs)).length).toBeGreaterThan(0);
    } catch (error) {
      throw new Error(`seed ${seed}, ${JSON.stringify([...seen])}`, { cause: error });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
