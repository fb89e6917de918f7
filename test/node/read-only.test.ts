import { chmodSync, copyFileSync, existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { openStore, type Store } from "../../src/node.ts";
import { notes, openNodeStore, storeFolder } from "../support/open-node-store.ts";

/** A closed store of so many notes, embedded; above 256 there is a snapshot of its index. */
async function closedStore(count = 20): Promise<string> {
  const dir = storeFolder();
  await using store = await openStore({ dir, vectors: "hnsw", embedder: { kind: "hashing" } });
  await store.ingest(notes(count), { embed: "wait" });
  await store.embeddings.flush();
  return dir;
}

const WRITES: [string, (store: Store) => Promise<unknown>][] = [
  ["ingest", (store) => store.ingest(notes(1))],
  [
    "putAssetWithBytes",
    (store) => store.documents.putAssetWithBytes({ bytes: new Uint8Array(1), mediaType: "text/plain" }),
  ],
  ["deleteDocument", (store) => store.documents.deleteDocument("x")],
  ["sweepBlobs", (store) => store.documents.sweepBlobs()],
  ["rebuildChunksFts", (store) => store.documents.rebuildChunksFts()],
  ["run", (store) => store.embeddings.run()],
  ["put", (store) => store.embeddings.put({ modelId: "m", modelVersion: "1", dimensions: 2 }, [])],
  ["sweep", (store) => store.embeddings.sweep()],
  ["drop", (store) => store.embeddings.drop({ modelId: "m", modelVersion: "1", dimensions: 2 })],
];

describe("a store that is open for reading only", () => {
  test("answers every read and refuses every write, and leaves the folder as it is", async () => {
    const dir = await closedStore(300);
    rmSync(join(dir, "blobs"), { recursive: true });
    const before = readdirSync(dir).sort();
    const { mtimeMs } = statSync(join(dir, "lodestore.db"));
    const store = await openStore({ dir, readOnly: true, readers: 2, embedder: { kind: "hashing" } });
    expect((await store.search({ text: "number7" })).hits).toHaveLength(1);
    expect((await store.search({ text: "number7 burns", mode: "hybrid" })).hits).toHaveLength(10);
    expect((await store.search({ text: "number7", mode: "vector" })).hits).toHaveLength(10);
    expect((await store.documents.listDocuments()).items).toHaveLength(50);
    expect(await store.stats()).toMatchObject({ documents: 300 });
    expect(await store.check()).toMatchObject({ ok: true });
    expect(await store.openReport()).toMatchObject({ created: false, migrations: [], rebuilt: [] });
    expect(await store.embeddings.status()).toMatchObject({ committed: 300, running: false });
    expect((await store.embeddings.indexes())[0]?.generations).toMatchObject([{ vectors: 300, snapshot: null }]);
    await store.embeddings.flush();
    for (const [name, write] of WRITES) {
      await expect(write(store)).rejects.toMatchObject({
        code: "UNSUPPORTED",
        message: expect.stringContaining(`${name} writes`) as string,
      });
    }
    await store.close();
    expect(
      readdirSync(dir)
        .sort()
        .filter((name) => !/-(wal|shm)$/.test(name)),
    ).toEqual(before);
    expect(statSync(join(dir, "lodestore.db")).mtimeMs).toBe(mtimeMs);
  });

  test("uses a snapshot that is there, and writes none", async () => {
    const dir = await closedStore(300);
    const snapshots = join(dir, "blobs");
    const before = readdirSync(snapshots, { recursive: true });
    const store = await openNodeStore({ dir, readOnly: true, embedder: { kind: "hashing" } });
    await store.search({ text: "kiln", mode: "vector" });
    expect((await store.openReport()).indexes).toMatchObject([{ source: "snapshot" }]);
    await store.close();
    expect(readdirSync(snapshots, { recursive: true })).toEqual(before);
  });

  test("is NOT_FOUND where there is no store, and makes none", async () => {
    const dir = storeFolder();
    await expect(openStore({ dir: join(dir, "no"), readOnly: true })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(openStore({ dir, readOnly: true })).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect([existsSync(join(dir, "no")), readdirSync(dir)]).toEqual([false, []]);
  });

  test("is UNSUPPORTED where it would have to be brought up to date, and says what is missing", async () => {
    const dir = await closedStore();
    const change = (sql: string): void => {
      const db = new DatabaseSync(join(dir, "lodestore.db"));
      db.exec(sql);
      db.close();
    };
    change("UPDATE kv SET value = '0' WHERE key = 'terms_version'");
    await expect(openStore({ dir, readOnly: true })).rejects.toMatchObject({
      code: "UNSUPPORTED",
      capability: "search",
      message: expect.stringContaining("text index would have to be rebuilt") as string,
    });
    await (await openStore({ dir })).close();
    await (await openStore({ dir, readOnly: true })).close();
    change("DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)");
    await expect(openStore({ dir, readOnly: true })).rejects.toMatchObject({
      code: "UNSUPPORTED",
      capability: "migrations",
      message: expect.stringMatching(/at V\d+__\w+, and V\d+__\w+ would have to be applied/) as string,
    });
    rmSync(join(dir, "lodestore.db"));
    change("VACUUM");
    await expect(openStore({ dir, readOnly: true })).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  test("names damage of the text index, which it does not write to", async () => {
    const dir = await closedStore(300);
    // What belongs to a virtual table is protected, unless one says otherwise.
    const options = { defensive: false } as object;
    const db = new DatabaseSync(join(dir, "lodestore.db"), options);
    db.exec("DELETE FROM chunks_fts_data WHERE id = (SELECT max(id) FROM chunks_fts_data)");
    db.close();
    const store = await openNodeStore({ dir, readOnly: true });
    const { ok, findings } = await store.check();
    expect(ok).toBe(false);
    expect(findings.find(({ name }) => name === "text index structure")).toMatchObject({
      ok: false,
      detail: expect.stringContaining("corruption found") as string,
    });
  });

  test("sees what a killed process left in the WAL file", async () => {
    const dir = await closedStore();
    const store = await openNodeStore({ dir });
    await store.ingest([{ path: "new.md", content: "# New\n\nceladon" }]);
    const copy = storeFolder();
    for (const name of ["lodestore.db", "lodestore.db-wal"]) copyFileSync(join(dir, name), join(copy, name));
    const reader = await openNodeStore({ dir: copy, readOnly: true });
    expect((await reader.search({ text: "celadon" })).hits).toHaveLength(1);
  });
});

/** Does something as somebody who may read everything of a folder and write nothing. */
async function asGuest<T>(dir: string, work: () => Promise<T>): Promise<T> {
  const isRoot = process.geteuid?.() === 0;
  for (const name of readdirSync(dir)) if (name.startsWith("lodestore.db")) chmodSync(join(dir, name), 0o444);
  chmodSync(dir, 0o555);
  // What is forbidden is not forbidden to root.
  if (isRoot) process.seteuid?.("nobody");
  try {
    return await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(dir, 0o755);
  }
}

describe.skipIf(process.platform === "win32")("a folder that cannot be written", () => {
  test("is read, and says that it takes the file for one that does not change", async () => {
    const dir = await closedStore(300);
    await asGuest(dir, async () => {
      await using store = await openStore({ dir, readOnly: true, embedder: { kind: "hashing" } });
      expect((await store.search({ text: "number7" })).hits).toHaveLength(1);
      expect((await store.search({ text: "number7", mode: "hybrid" })).hits).toHaveLength(10);
      expect((await store.openReport()).indexes).toMatchObject([{ source: "snapshot" }]);
      expect((await store.stats()).sql.settings).toMatchObject({ immutable: 1 });
    });
    expect(readdirSync(dir).sort()).toEqual(["blobs", "lodestore.db", "writer.lock"]);
  });

  test("is refused for writing, with a hint", async () => {
    const dir = await closedStore();
    rmSync(join(dir, "writer.lock"));
    await asGuest(dir, () =>
      expect(openStore({ dir })).rejects.toMatchObject({
        code: "DRIVER",
        message: expect.stringContaining("readOnly: true") as string,
      }),
    );
  });

  test("is UNSUPPORTED where a crash left what would have to be recovered", async () => {
    const dir = await closedStore();
    const store = await openNodeStore({ dir });
    await store.ingest([{ path: "new.md", content: "# New\n\nceladon" }]);
    const copy = storeFolder();
    for (const name of ["lodestore.db", "lodestore.db-wal"]) copyFileSync(join(dir, name), join(copy, name));
    await asGuest(copy, () =>
      expect(openStore({ dir: copy, readOnly: true })).rejects.toMatchObject({
        code: "UNSUPPORTED",
        message: expect.stringContaining("open it once where it can be written") as string,
      }),
    );
  });
});
