import { afterEach, describe, expect, test, vi } from "vitest";
import {
  deleteStore,
  openStore,
  type IngestFile,
  type SearchHit,
  type Store,
  type VectorOpenReport,
} from "lodestore/browser";

vi.setConfig({ testTimeout: 60_000 });

/** Enough that closing writes a snapshot. */
const NOTES = 400;
const QUERIES = ["glaze 17 melts", "the note 255 of kilns", "cone 9"];

let made = 0;
const names: string[] = [];
let last: Store | undefined;

afterEach(async () => {
  await last?.close();
  for (const name of names.splice(0)) await deleteStore({ name });
});

function freshName(): string {
  const name = `snapshots-${Date.now()}-${made++}`;
  names.push(name);
  return name;
}

async function open(name: string): Promise<Store> {
  last = await openStore({
    name,
    embedder: { kind: "hashing" },
    embedOnOpen: false,
    vectors: { graphAbove: 64, quantization: "sq8" },
  });
  return last;
}

function notes(): IngestFile[] {
  return Array.from({ length: NOTES }, (_, index) => ({
    path: `notes/${index}.md`,
    content: `# Note ${index}\n\nThe note ${index} of kilns. Glaze ${index % 37} melts at cone ${index % 11}.\n`,
  }));
}

/** Answers by meaning. */
async function answers(store: Store): Promise<Pick<SearchHit, "chunkId" | "vectorScore">[][]> {
  const lists = QUERIES.map(async (text) => {
    const { hits } = await store.search({ text, mode: "vector" });
    expect(hits).toHaveLength(10);
    return hits.map(({ chunkId, vectorScore }) => ({ chunkId, vectorScore }));
  });
  return Promise.all(lists);
}

/** A store that was filled and closed. @returns its answers. */
async function fill(name: string): Promise<Awaited<ReturnType<typeof answers>>> {
  const store = await open(name);
  const { added, embedding } = await store.ingest(notes(), { embed: "wait" });
  expect([added, embedding]).toMatchObject([NOTES, { embedded: NOTES }]);
  await store.embeddings.flush();
  const { explain } = await store.search({ text: "kilns", mode: "vector", explain: true });
  expect(explain?.vector?.plan).toMatchObject({ kind: "walk", total: NOTES });
  const found = await answers(store);
  await store.close();
  return found;
}

/** Opens the store, asks it, and closes it. @returns what opening its index did. */
async function reopen(name: string, expected: unknown): Promise<VectorOpenReport | undefined> {
  const store = await open(name);
  expect(await answers(store)).toEqual(expected);
  const { indexes } = await store.openReport();
  expect(indexes).toHaveLength(1);
  // A snapshot that is damaged is found so until closing puts another in its place.
  const { findings } = await store.check();
  expect(findings.filter(({ ok, name }) => !ok && !name.startsWith("vector index"))).toEqual([]);
  await store.close();
  return indexes[0];
}

/** The file of the snapshot in the origin private file system: of two slots one is there. */
async function snapshotFile(name: string): Promise<FileSystemFileHandle> {
  let folder = await navigator.storage.getDirectory();
  for (const part of [".lodestore", name, "blobs", "+_vectors"]) folder = await folder.getDirectoryHandle(part);
  const files: FileSystemFileHandle[] = [];
  for await (const handle of folder.values()) if (handle.kind === "file") files.push(handle);
  expect(files.map((file) => file.name)).toEqual([
    expect.stringMatching(/^=chunk_embeddings_hashing_.*\.lhv1\.[01]$/u),
  ]);
  return files[0] as FileSystemFileHandle;
}

async function change(file: FileSystemFileHandle, work: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  const bytes = new Uint8Array(await (await file.getFile()).arrayBuffer());
  const writable = await file.createWritable();
  await writable.write(work(bytes).slice());
  await writable.close();
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
}

describe("snapshots of a store in the browser", () => {
  test("are written at closing, and the index is read from them", async () => {
    const name = freshName();
    const found = await fill(name);
    const { size } = await (await snapshotFile(name)).getFile();
    expect(size).toBeGreaterThan(NOTES * 384);
    const snapshot = { source: "snapshot", reason: null, vectors: NOTES, replayed: 0 };
    expect(await reopen(name, found)).toMatchObject(snapshot);
    expect(await reopen(name, found)).toMatchObject(snapshot);
  });

  test("stand for what they hold: what was written later is read from the rows", async () => {
    const name = freshName();
    await fill(name);
    const store = await open(name);
    await store.ingest({ path: "late.md", content: "# Late\n\nA kiln of its own.\n" }, { embed: "wait" });
    await store.close();
    const again = await open(name);
    const { hits } = await again.search({ text: "late kiln of its own", mode: "vector", k: 1 });
    expect(hits[0]?.citation.workspacePath).toBe("late.md");
    const { indexes } = await again.openReport();
    expect(indexes).toMatchObject([{ source: "snapshot", reason: null, vectors: NOTES + 1, replayed: 1 }]);
  });

  test.each([
    {
      damage: "with a bit flipped",
      work: (bytes: Uint8Array) => flipped(bytes, bytes.length - 100),
      reason: /^CORRUPT: /u,
    },
    {
      damage: "whose header is wrong",
      work: (bytes: Uint8Array) => flipped(bytes, 8),
      reason: /^the snapshot cannot be read: .*never written whole/u,
    },
    {
      damage: "that is cut off",
      work: (bytes: Uint8Array) => bytes.subarray(0, bytes.length / 2),
      reason: /^the snapshot cannot be read: .*never written whole/u,
    },
  ])("$damage is passed over with the reason, and written anew", async ({ work, reason }) => {
    const name = freshName();
    const found = await fill(name);
    await change(await snapshotFile(name), work);
    const report = await reopen(name, found);
    expect(report).toMatchObject({ source: "rebuilt", vectors: NOTES });
    expect(report?.reason).toMatch(reason);
    expect(await reopen(name, found)).toMatchObject({ source: "snapshot", reason: null, vectors: NOTES });
  });
});
