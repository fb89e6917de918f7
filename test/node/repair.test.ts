import { readdirSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { RepairProgress, Store } from "../../src/node.ts";
import { damage } from "../support/damage.ts";
import { notes, openNodeStore, storeFolder } from "../support/open-node-store.ts";

vi.setConfig({ testTimeout: 60_000 });

const VECTORS = "chunk_embeddings_hashing_384";
const INDEX = `vector index ${VECTORS} version 1`;

/** A folder with a store of embedded notes and a snapshot of their index, closed. */
async function closedStore(): Promise<{ dir: string; file: string; snapshot: string }> {
  const dir = storeFolder();
  const store = await openNodeStore({ dir, embedder: { kind: "hashing" } });
  await store.ingest(notes(20), { embed: "wait" });
  await store.embeddings.reindex();
  await store.close();
  const blobs = join(dir, "blobs");
  const [name = ""] = readdirSync(blobs, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".lhv1"),
  );
  return { dir, file: join(dir, "lodestore.db"), snapshot: join(blobs, name) };
}

async function bad(store: Store): Promise<string[]> {
  return (await store.check()).findings.filter(({ ok }) => !ok).map(({ name }) => name);
}

describe.each([0, 1, 2])("a store with %i readers", (readers) => {
  test("is swept, looked at and told of, whichever thread has what", async () => {
    const { dir } = await closedStore();
    const store = await openNodeStore({ dir, readers });
    expect(await store.embeddings.sweep()).toMatchObject({ tombstones: 0, orphans: 0, more: false });
    const { ok, findings } = await store.check();
    expect(ok).toBe(true);
    expect(findings.filter(({ name }) => name === INDEX)).toHaveLength(1);
    expect(findings.at(-1)?.detail).toMatch(/^ok; 20 vectors, .*, snapshot verified, at change \d+, 0 behind$/);
    expect((await store.stats()).vectors?.driver).toBe("vectors-hnsw");
    expect(await store.embeddings.examine({ quick: true })).toMatchObject([{ generations: [{ vectors: 20 }] }]);
  });

  test("is repaired in every part of it", async () => {
    const { dir, file, snapshot } = await closedStore();
    truncateSync(snapshot, 3000);
    damage(file, (db) => {
      db.exec(`DELETE FROM ${VECTORS} WHERE vector_key = 1; DELETE FROM vector_changes;
        DELETE FROM kv WHERE key = 'corpus_revision'`);
    });
    const store = await openNodeStore({ dir, readers, embedder: { kind: "hashing" } });
    const names = ["corpus revision", "vectors in step with embedding records", INDEX];
    expect(await bad(store)).toEqual(names);
    const planned = await store.repair({ dryRun: true });
    expect(planned.steps.map(({ name, outcome }) => [name, outcome])).toEqual(names.map((name) => [name, "planned"]));
    const seen: RepairProgress[] = [];
    const report = await store.repair({ onProgress: (progress) => seen.push(progress) });
    expect(report).toMatchObject({ check: { ok: true }, sweep: { lost: 1 } });
    expect(report.steps.map(({ name, outcome }) => [name, outcome])).toEqual(names.map((name) => [name, "repaired"]));
    expect(seen.map(({ doing }) => doing)).toContain(`making ${VECTORS} anew, reading`);
    expect(await bad(store)).toEqual([]);
    expect(await store.embeddings.run()).toMatchObject({ embedded: 1 });
    expect((await store.search({ text: "number7 burns", mode: "hybrid" })).hits).toHaveLength(10);
  });

  test("ends a repair that is aborted", async () => {
    const { dir } = await closedStore();
    const store = await openNodeStore({ dir, readers });
    const stop = new AbortController();
    const aborted = store.repair({ signal: stop.signal, onProgress: () => stop.abort(new Error("enough")) });
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED", operation: "repair" });
  });
});

test("a store that is open for reading only is looked at, and not repaired", async () => {
  const { dir, snapshot } = await closedStore();
  truncateSync(snapshot, 3000);
  const store = await openNodeStore({ dir, readOnly: true, readers: 2 });
  expect(await bad(store)).toEqual([INDEX]);
  await expect(store.repair()).rejects.toMatchObject({ code: "UNSUPPORTED", operation: "repair" });
  await expect(store.embeddings.reindex()).rejects.toMatchObject({ code: "UNSUPPORTED" });
  expect(await bad(store)).toEqual([INDEX]);
});
