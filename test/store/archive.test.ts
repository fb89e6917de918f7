import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import packageManifest from "../../package.json" with { type: "json" };
import type { ArchiveProgress } from "../../src/contracts/archive.ts";
import type { SearchQuery } from "../../src/contracts/search.ts";
import type { IngestFile, Store } from "../../src/contracts/store.ts";
import { migrate } from "../../src/sql/migrate.ts";
import { migrations } from "../../src/sql/migrations.generated.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { archiveOf, archiveWith, entriesOf, inPieces, textOf } from "../support/archives.ts";
import { type EmbeddingStore, openEmbeddingStore, visibleChunks } from "../support/open-embedding-store.ts";
import { openTestStore } from "../support/open-test-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { vectorStores } from "../support/vector-stores.ts";

const [whole, apart] = vectorStores as [(typeof vectorStores)[number], (typeof vectorStores)[number]];
const WAYS = [whole, apart].flatMap((from) =>
  [whole, apart].map((to) => ({ from, to, name: `${from.way} → ${to.way}` })),
);

function files(count: number): IngestFile[] {
  return Array.from({ length: count }, (_, n) => ({
    path: `notes/${n}.md`,
    content: `# Note ${n}\n\nKilns and glaze ${n}. 数据库 ${n}\n\n## Ash\n\n${"It melts well. ".repeat(n % 9)}Ash of ${n}.\n`,
    tags: [`tag${n % 3}`],
  }));
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lodestore-archive-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function open(
  way: (typeof vectorStores)[number],
  embedder?: TestEmbedder,
): Promise<EmbeddingStore & { folder: string }> {
  const folder = temporaryFolder();
  const opened = await openEmbeddingStore({ path: join(folder, "lodestore.db"), vectors: way.over, embedder });
  onTestFinished(() => opened.store.close());
  return { ...opened, folder };
}

const QUERIES: SearchQuery[] = [
  { text: "glaze ash", k: 30 },
  { text: "数据", k: 10, filters: { tagsAny: ["tag1"] } },
  { text: "kilns melts", k: 20, mode: "hybrid" },
  { text: "ash", k: 25, mode: "vector" },
];

async function answers(store: Store, queries = QUERIES): Promise<unknown[]> {
  const found = [];
  for (const query of queries) found.push((await store.search(query)).hits);
  return found;
}

describe.each(WAYS)("an archive, vectors $name", ({ from, to }) => {
  test("answers in another store as in its own, and no text is embedded again", async () => {
    const source = await open(from, new TestEmbedder());
    await source.store.ingest(files(700), { embed: "wait" });
    await source.store.ingest(
      files(3).map((file) => ({ ...file, content: `# New\n\nanother glaze ${file.path}` })),
      {
        embed: "wait",
      },
    );
    const archive = await archiveOf(source.store);
    const embedder = new TestEmbedder();
    const target = await open(to, embedder);
    const report = await target.store.import(inPieces(archive));
    const stats = await source.store.stats();
    expect(report).toMatchObject({
      documents: stats.documents,
      chunks: stats.chunks,
      embeddings: stats.embeddings.committed,
      missing: 0,
      bytes: archive.byteLength,
      migrations: [],
      from: { packageVersion: packageManifest.version, schemaVersion: migrations.length },
    });
    expect(report.embeddings).toBeGreaterThan(1390);
    expect(await answers(target.store)).toEqual(await answers(source.store));
    expect(await visibleChunks(target)).toEqual(await visibleChunks(source));
    await target.store.embeddings.run();
    // The texts of the two queries by meaning, and no chunk's.
    expect(embedder.texts).toBe(2);
    expect(await target.store.check()).toMatchObject({ ok: true });
    const after = await target.store.stats();
    expect(after).toMatchObject({ documents: stats.documents, chunks: stats.chunks, embeddings: stats.embeddings });
    expect(after.corpusRevision).toBeGreaterThan(stats.corpusRevision);
    expect(readdirSync(target.folder).filter((name) => name.includes("image"))).toEqual([]);
    expect(readdirSync(source.folder).filter((name) => name.includes("image"))).toEqual([]);
  });
});

describe("an archive", () => {
  test("is a tar with a manifest, a sound SQLite database and checksums, which other programs read", async () => {
    const { store } = await open(whole, new TestEmbedder());
    await store.ingest(files(5), { embed: "wait" });
    const entries = entriesOf(await archiveOf(store));
    expect([...entries.keys()]).toEqual(["lodestore.json", "lodestore.db", "checksums.json"]);
    expect(JSON.parse(textOf(entries.get("lodestore.json")))).toMatchObject({
      format: "lodestore-archive",
      formatVersion: 1,
      packageVersion: packageManifest.version,
      schemaVersion: migrations.length,
      vectorEngine: "vectors-flat",
      counts: { documents: 5, chunks: 10, assets: 5, embeddings: 10 },
    });
    const path = join(temporaryFolder(), "image.db");
    writeFileSync(path, entries.get("lodestore.db") as Uint8Array);
    const image = new DatabaseSync(path, { readOnly: true });
    expect(image.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    expect(image.prepare("SELECT count(*) AS n FROM documents").get()).toEqual({ n: 5 });
    expect(image.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "delete" });
    image.close();
  });

  test("keeps chat sessions, jobs and everything else that is in the tables", async () => {
    const source = await open(whole);
    await source.db.run(
      "INSERT INTO chat_sessions (session_id, title, created_at, updated_at) VALUES ('s', 'Talk', 1, 2)",
    );
    await source.db.runMany(
      "INSERT INTO chat_turns (turn_id, session_id, turn_index, role, content, created_at) VALUES ($1, 's', $2, 'user', 'x', 3)",
      Array.from({ length: 2500 }, (_, n) => [`turn-${String(n).padStart(5, "0")}`, n]),
    );
    await source.store.ingest(files(1));
    const target = await open(whole);
    await target.store.ingest({ path: "bad.md", content: new Uint8Array([0xff, 0xfe, 0x00]) });
    await target.store.import(inPieces(await archiveOf(source.store)));
    for (const table of [
      "chat_sessions",
      "chat_turns",
      "ingest_runs",
      "documents",
      "blocks",
      "chunks",
      "blobs",
      "document_tags",
    ]) {
      const rows = (db: EmbeddingStore["db"]): Promise<object[]> => db.all(`SELECT * FROM ${table} ORDER BY 1, 2`);
      expect({ [table]: await rows(target.db) }).toEqual({ [table]: await rows(source.db) });
    }
  });

  test("keeps jobs; one that ran when it was made is interrupted where it is imported", async () => {
    const source = await open(whole);
    const { jobId } = await source.store.ingest(files(1));
    const done = await source.store.jobs.create("done", { n: 1 });
    const ended = await source.store.jobs.finish(done.id, "failed", "why");
    const running = await source.store.jobs.create("running", { n: 2 });
    const told = await source.store.jobs.updateProgress(running.id, { done: 3 });
    const target = await open(whole);
    await target.store.ingest({ path: "bad.md", content: new Uint8Array([0xff, 0xfe, 0x00]) });
    await target.store.import(inPieces(await archiveOf(source.store)));
    expect((await target.store.jobs.list()).items).toEqual([
      {
        ...told,
        status: "interrupted",
        updatedAt: expect.any(Number) as number,
        error: { code: "OWNER_LOST", message: "it ran in the store that the archive is of" },
      },
      ended,
      await source.store.jobs.get(jobId),
    ]);
    expect(await target.store.jobs.resume(running.id)).toMatchObject({ status: "running", attempt: 2 });
    const next = await target.store.jobs.create("next");
    expect((await target.store.jobs.list()).items.map(({ id }) => id)[0]).toBe(next.id);
  });

  test("is not imported into a store with a job of the caller's, which it would take the place of", async () => {
    const source = await open(whole);
    await source.store.ingest(files(1));
    const target = await open(whole);
    const own = await target.store.jobs.create("own");
    await expect(target.store.import(inPieces(await archiveOf(source.store)))).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("jobs") as string,
    });
    expect((await target.store.jobs.list()).items).toEqual([own]);
  });

  test("is of the moment of its first byte, while the store is written on", async () => {
    const { store } = await open(whole);
    await store.ingest(files(20));
    const archive = store.export();
    const pieces = [(await archive.next()).value as Uint8Array];
    await store.ingest(files(40));
    for await (const piece of archive) pieces.push(piece);
    const target = await open(whole);
    const report = await target.store.import(new Blob(pieces as Uint8Array<ArrayBuffer>[]));
    expect(report.documents).toBe(20);
    expect(await target.store.documents.countDocuments()).toBe(20);
  });

  test("comes from a stream, a blob or an iterable", async () => {
    const { store } = await open(whole);
    await store.ingest(files(3));
    const archive = (await archiveOf(store)) as Uint8Array<ArrayBuffer>;
    const kinds = [new Blob([archive]), new Blob([archive]).stream(), inPieces(archive, 7)];
    for (const kind of kinds) {
      const target = await open(whole);
      expect(await target.store.import(kind)).toMatchObject({ documents: 3 });
    }
  });

  test("of an empty store is imported, too, and of one whose vectors the importing store does not keep", async () => {
    const empty = await open(whole);
    const target = await open(whole);
    expect(await target.store.import(inPieces(await archiveOf(empty.store)))).toMatchObject({
      documents: 0,
      chunks: 0,
    });
    const source = await open(whole, new TestEmbedder());
    await source.store.ingest(files(4), { embed: "wait" });
    const archive = await archiveOf(source.store);
    const plain = await openTestStore();
    expect(await plain.store.import(inPieces(archive))).toMatchObject({ documents: 4, embeddings: 0, missing: 8 });
    expect(await answers(plain.store, QUERIES.slice(0, 2))).toEqual(await answers(source.store, QUERIES.slice(0, 2)));
    await plain.store.close();
  });

  test("carries what is pending as pending: the next run embeds it", async () => {
    const source = await open(apart, new TestEmbedder());
    await source.store.ingest(files(6), { embed: "wait" });
    const [record] = await source.db.all<{ id: string }>("SELECT embedding_id AS id FROM embedding_records LIMIT 1");
    await source.db.run("UPDATE embedding_records SET status = 'pending' WHERE embedding_id = $1", [record?.id ?? ""]);
    const embedder = new TestEmbedder();
    const target = await open(apart, embedder);
    expect(await target.store.import(inPieces(await archiveOf(source.store)))).toMatchObject({
      embeddings: 11,
      missing: 0,
    });
    await target.store.embeddings.run();
    expect(embedder.texts).toBe(1);
    expect(await visibleChunks(target)).toHaveLength(12);
  });

  test.each([whole, apart])("comes into a store that held other documents before, vectors $way", async (way) => {
    const source = await open(way, new TestEmbedder());
    await source.store.ingest(files(20), { embed: "wait" });
    const target = await open(way, new TestEmbedder());
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 30; n++) {
        await target.store.ingest(
          { path: `old/${n}.md`, content: `# Old ${n}\n\nglaze ash ${round} of ${n}` },
          { embed: "wait" },
        );
      }
      // What searches remember is of chunks whose keys come again.
      await answers(target.store);
      for (const path of await target.store.documents.allWorkspacePaths()) {
        const document = await target.store.documents.getDocumentByWorkspacePath(path);
        await target.store.documents.deleteDocument(document?.id ?? "");
      }
    }
    const before = (await target.store.stats()).corpusRevision;
    expect(before).toBeGreaterThan((await source.store.stats()).corpusRevision);
    await target.store.import(inPieces(await archiveOf(source.store)));
    expect(await answers(target.store)).toEqual(await answers(source.store));
    expect((await target.store.stats()).corpusRevision).toBeGreaterThan(before);
    await target.store.ingest({ path: "new.md", content: "# New\n\nA glaze." }, { embed: "wait" });
    const [row] = await target.db.all<{ key: number }>("SELECT max(chunk_key) AS key FROM chunks");
    expect(row?.key).toBeGreaterThan(60);
    await target.store.embeddings.sweep({ pendingOlderThanMs: 0 });
    expect(await target.store.check()).toMatchObject({ ok: true });
    expect(await visibleChunks(target)).toHaveLength(41);
  });

  test("of an earlier schema is brought up to date", async () => {
    const { store } = await open(whole);
    await store.ingest(files(2));
    const path = join(temporaryFolder(), "old.db");
    const old = await openSqlNode({ path, functions: storeFunctions });
    await migrate(old, migrations.slice(0, 6));
    await old.run("INSERT INTO assets VALUES (1, 'a', 'h', 0, 'text/plain', NULL, 1)");
    const image = await old.image();
    const pieces: Uint8Array[] = [];
    for await (const piece of image.read()) pieces.push(piece);
    await old.close();
    const archive = archiveWith(await archiveOf(store), {
      database: () => new Uint8Array(Buffer.concat(pieces)),
      manifest: (manifest) => (manifest["schemaVersion"] = 6),
    });
    const target = await open(whole);
    const report = await target.store.import(inPieces(archive));
    expect(report.migrations).toEqual(migrations.slice(6).map(({ name }) => name));
    expect(await target.db.all("SELECT asset_id FROM assets")).toEqual([{ asset_id: "a" }]);
  });

  test("tells how far it is", async () => {
    const { store } = await open(whole);
    await store.ingest(files(300));
    const told: ArchiveProgress[] = [];
    const pieces: Uint8Array[] = [];
    for await (const piece of store.export({ onProgress: (now) => told.push(now) })) pieces.push(piece);
    const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    expect(told[0]).toMatchObject({ phase: "copy", done: 0, total: null });
    expect(told.at(-1)).toMatchObject({ phase: "transfer", done: bytes, total: bytes });
    told.length = 0;
    const target = await open(whole);
    await target.store.import(new Blob(pieces as Uint8Array<ArrayBuffer>[]), { onProgress: (now) => told.push(now) });
    expect(told.find(({ phase }) => phase === "transfer")).toBeDefined();
    const last = told.at(-1);
    expect(last).toMatchObject({ phase: "write", done: last?.total });
  });
});

describe("an export", () => {
  test("leaves nothing behind when the loop is left, when it is aborted, and when the store closes", async () => {
    const { store, folder } = await open(whole);
    await store.ingest(files(100));
    const images = (): string[] => readdirSync(folder).filter((name) => name.includes("image"));
    for await (const piece of store.export()) {
      expect(piece.byteLength).toBeGreaterThan(0);
      expect(images()).toHaveLength(1);
      break;
    }
    expect(images()).toEqual([]);
    const controller = new AbortController();
    const aborted = store.export({ signal: controller.signal });
    await aborted.next();
    controller.abort();
    await expect(aborted.next()).rejects.toMatchObject({ code: "ABORTED", capability: "archive" });
    expect(images()).toEqual([]);
    const left = store.export();
    await left.next();
    await left.next();
    await left.next();
    expect(images()).toHaveLength(1);
    await store.close();
    expect(existsSync(folder) && images()).toEqual([]);
    await expect(left.next()).rejects.toMatchObject({ code: "CLOSED" });
    expect(() => store.export()).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });

  describe.each(["in a file", "in memory"])("of a database %s that is being copied", (where) => {
    const filled = async (): Promise<Store> => {
      const { store } = where === "in a file" ? await open(whole) : await openTestStore();
      await store.ingest(files(20));
      return store;
    };

    test("is ABORTED by its signal", async () => {
      const store = await filled();
      const stop = new AbortController();
      const aborted = store.export({ signal: stop.signal, onProgress: () => stop.abort("enough") });
      const error = { code: "ABORTED", capability: "archive", operation: "export", cause: "enough" };
      await expect(aborted.next()).rejects.toMatchObject(error);
    });

    test("says CLOSED when the store closes", async () => {
      const store = await filled();
      let closed: Promise<void> | undefined;
      const ended = store.export({ onProgress: () => void (closed ??= store.close()) });
      await expect(ended.next()).rejects.toMatchObject({ code: "CLOSED" });
      await closed;
    });
  });

  test("says what is wrong with its options", async () => {
    const { store } = await open(whole);
    for (const options of [{ onProgress: 3 }, { sginal: 1 }, 5]) {
      expect(() => store.export(options as never)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
      await expect(store.import(new Blob([]), options as never)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    }
    for (const archive of [undefined, "x", new Uint8Array(5), {}, [new Uint8Array(512)]]) {
      await expect(store.import(archive as never)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    }
  });
});
