import { afterEach, expect, test } from "vitest";
import { deleteStore, openStore, type SearchQuery, type Store } from "lodestore/browser";
import { openSqlMemory } from "../../src/drivers/sql-memory.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";

let made = 0;
const open: { store: Store; name: string }[] = [];

async function openFresh(): Promise<Store> {
  const name = `archive-${Date.now()}-${made++}`;
  const store = await openStore({ name, embedder: { kind: "hashing", dimensions: 32 } });
  open.push({ store, name });
  return store;
}

afterEach(async () => {
  for (const { store, name } of open.splice(0)) {
    await store.close();
    await deleteStore({ name });
  }
});

const FILES = Array.from({ length: 400 }, (_, n) => ({
  path: `notes/${n}.md`,
  content: `# Note ${n}\n\nKilns and glaze ${n}. 数据库 ${n}\n\n## Ash\n\n${"It melts well. ".repeat(n % 30)}\n`,
}));

const QUERIES: SearchQuery[] = [
  { text: "glaze melts", k: 40 },
  { text: "数据", k: 10 },
  { text: "kilns ash", k: 20, mode: "hybrid" },
];

async function answers(store: Store): Promise<unknown[]> {
  const found = [];
  for (const query of QUERIES) found.push((await store.search(query)).hits);
  return found;
}

test("a store moves to another one, while it goes on being used, and answers as before", async () => {
  const source = await openFresh();
  await source.ingest(FILES, { embed: "wait" });
  const before = await answers(source);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of source.export()) {
    if (pieces.push(new Uint8Array(piece)) === 2) {
      await source.ingest({ path: "later.md", content: "# Later\n\nA glaze that came later." }, { embed: "wait" });
    }
  }
  const archive = new Blob(pieces);
  const target = await openFresh();
  for (const kind of [archive.slice(0, 70_000), archive.slice(0, archive.size - 2000), new Blob(["# a note"])]) {
    await expect(target.import(kind)).rejects.toMatchObject({ code: "BAD_FORMAT", capability: "archive" });
    expect(await target.stats()).toMatchObject({ documents: 0, chunks: 0 });
  }
  const phases = new Set<string>();
  const report = await target.import(archive.stream(), { onProgress: ({ phase }) => phases.add(phase) });
  expect(report).toMatchObject({ documents: FILES.length, missing: 0, bytes: archive.size });
  expect([...phases]).toEqual(["transfer", "write"]);
  expect(await answers(target)).toEqual(before);
  expect(await target.check()).toMatchObject({ ok: true });
  expect(await target.embeddings.run()).toMatchObject({ embedded: 0 });
  await expect(target.import(archive)).rejects.toMatchObject({ code: "CONFLICT" });
  expect(await source.documents.countDocuments()).toBe(FILES.length + 1);
});

test("another engine reads the database of an archive that was written on OPFS", async () => {
  const source = await openFresh();
  await source.ingest(FILES.slice(0, 20), { embed: "wait" });
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of source.export()) pieces.push(new Uint8Array(piece));
  const archive = new Uint8Array(await new Blob(pieces).arrayBuffer());
  const sizeOf = (header: number): number =>
    Number.parseInt(new TextDecoder().decode(archive.subarray(header + 124, header + 135)), 8);
  const second = 512 + Math.ceil(sizeOf(0) / 512) * 512;
  const database = archive.slice(second + 512, second + 512 + sizeOf(second));
  const memory = await openSqlMemory({ functions: storeFunctions });
  const image = await memory.imageFrom(
    (async function* () {
      yield database;
    })(),
  );
  const copy = await image.open();
  expect(await copy.all("PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
  expect(await copy.get("SELECT count(*) AS n FROM documents")).toEqual({ n: 20 });
  await copy.close();
  await memory.close();
});

test("a loop that is left and a worker that closes leave no room taken", async () => {
  const source = await openFresh();
  await source.ingest(FILES.slice(0, 50));
  for (let round = 0; round < 5; round++) {
    for await (const piece of source.export()) if (piece.byteLength > 0) break;
  }
  const unfinished = source.export();
  await unfinished.next();
  const { name } = open[0]!;
  await source.close();
  const again = await openStore({ name });
  open[0]!.store = again;
  expect(await again.check()).toMatchObject({ ok: true });
  expect(await again.documents.countDocuments()).toBe(50);
});
