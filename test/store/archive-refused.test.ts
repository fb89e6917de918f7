import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StorageError } from "../../src/errors.ts";
import { writeTarHeader } from "../../src/formats/tar/tar-header.ts";
import { nextTurn } from "../../src/turns.ts";
import { ApartVectorStore } from "../support/apart-vector-store.ts";
import { archiveOf, archiveWith, bytesOf, entriesOf, inPieces, tarOf } from "../support/archives.ts";
import { type EmbeddingStore, openEmbeddingStore } from "../support/open-embedding-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { flatVectors, vectorStores } from "../support/vector-stores.ts";

const CODES = ["BAD_FORMAT", "CORRUPT", "SCHEMA_TOO_NEW", "MIGRATION_CHANGED"];

let folder: string;
let archive: Uint8Array;
let target: EmbeddingStore;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lodestore-refused-"));
  await using source = await openEmbeddingStore({ vectors: flatVectors, embedder: new TestEmbedder() });
  await source.store.ingest(
    Array.from({ length: 30 }, (_, n) => ({ path: `${n}.md`, content: `# ${n}\n\nglaze ${n} of kilns` })),
    { embed: "wait" },
  );
  archive = await archiveOf(source.store);
  target = await openEmbeddingStore({ path: join(folder, "lodestore.db"), vectors: flatVectors });
});

afterAll(async () => {
  await target.store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** All that is in the target. */
async function content(): Promise<string> {
  const tables = await target.db.all<{ name: string }>(
    "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
  );
  const hash = createHash("sha256");
  for (const { name } of tables) hash.update(JSON.stringify([name, await target.db.all(`SELECT * FROM "${name}"`)]));
  return hash.digest("hex");
}

/** Expects that an archive is refused, and that the store is as it was and works. */
async function refuses(bytes: AsyncIterable<Uint8Array>, what: string): Promise<StorageError> {
  const before = await content();
  const outcome = await target.store.import(bytes).catch((error: unknown) => error);
  const error = typedError(what, outcome);
  expect([what, await content(), images()]).toEqual([what, before, []]);
  return error;
}

/** Files that an import left. */
const images = (): string[] => readdirSync(folder).filter((name) => name.includes("image"));

/** Returns what a damaged archive is refused with; anything else fails the test. */
function typedError(what: string, outcome: unknown): StorageError {
  if (outcome instanceof StorageError && CODES.includes(outcome.code)) return outcome;
  throw new Error(`${what}: ${outcome instanceof Error ? outcome.message : JSON.stringify(outcome)}`, {
    cause: outcome,
  });
}

/** Numbers from 0 below 2^32, the same in every run (xorshift). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

describe("an archive is refused, and the store stays as it was,", () => {
  test("when it is cut off, wherever that is", async () => {
    const places = [0, 1, 511, 512, 513, 700, 1023, 1024, 1535, 1536, 2000, 5632, 100_000];
    const ends = [1025, 1024, 1536, 1700, 2048, 2560].map((left) => archive.byteLength - left);
    for (const place of [...places, ...ends]) {
      await refuses(inPieces(archive.subarray(0, place)), `cut off at ${place}`);
    }
  });

  test("when a byte is another one", async () => {
    const random = seeded(11);
    // Blocks of zeros after the end are not looked at, nor is the padding.
    const used = archive.byteLength - 1024;
    let refused = 0;
    for (let round = 0; round < 120; round++) {
      const at = round < 60 ? random() % 2048 : random() % used;
      const damaged = archive.slice();
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (random() % 8));
      const before = await content();
      const outcome = await target.store.import(inPieces(damaged)).catch((error: unknown) => error);
      if (!(outcome instanceof StorageError)) {
        // Nothing of meaning was hit: padding, or what a header does not need.
        expect(await target.store.documents.countDocuments()).toBe(30);
        await target.store.close();
        rmSync(folder, { recursive: true, force: true });
        folder = mkdtempSync(join(tmpdir(), "lodestore-refused-"));
        target = await openEmbeddingStore({ path: join(folder, "lodestore.db"), vectors: flatVectors });
        continue;
      }
      refused++;
      typedError(`byte ${at}`, outcome);
      expect([at, await content()]).toEqual([at, before]);
    }
    expect(refused).toBeGreaterThan(90);
  });

  test("when a byte of an entry is another one, naming the entry", async () => {
    const damaged = archive.slice();
    damaged[60_000] = (damaged[60_000] ?? 0) ^ 1;
    const error = await refuses(inPieces(damaged), "a flipped byte");
    expect(error).toMatchObject({ code: "CORRUPT", capability: "archive", operation: "import" });
    expect(error.message).toContain("lodestore.db");
  });

  test("when entries are missing, swapped, doubled or unknown", async () => {
    const entries = [...entriesOf(archive)];
    const [manifest, database, checksums] = entries as [
      [string, Uint8Array],
      [string, Uint8Array],
      [string, Uint8Array],
    ];
    const other: [string, Uint8Array] = ["other.txt", bytesOf("hello")];
    const wrong = {
      "nothing at all": [],
      "no manifest": [database, checksums],
      "no database": [manifest, checksums],
      "no checksums": [manifest, database],
      "the database first": [database, manifest, checksums],
      "the checksums first": [checksums, manifest, database],
      "the manifest twice": [manifest, manifest, database, checksums],
      "something more": [manifest, database, checksums, other],
      "something in between": [manifest, other, database, checksums],
      "another manifest": [["lodestore.json", bytesOf("[]")], database, checksums],
      "a manifest that is no JSON": [["lodestore.json", bytesOf("{")], database, checksums],
      "a manifest too long": [["lodestore.json", new Uint8Array(2 ** 20 + 1)], database, checksums],
      "other checksums": [manifest, database, ["checksums.json", bytesOf('{"algorithm":"sha256","entries":{}}')]],
      "checksums of another kind": [manifest, database, ["checksums.json", bytesOf('{"algorithm":"md5"}')]],
    } satisfies Record<string, (readonly [string, Uint8Array])[]>;
    for (const [what, those] of Object.entries(wrong)) await refuses(inPieces(tarOf(those)), what);
  });

  test("when it is something else", async () => {
    const noise = new Uint8Array(50_000).map((_, at) => (at * 7919) % 251);
    for (const [what, bytes] of Object.entries({
      noise,
      text: bytesOf("# A note\n".repeat(300)),
      zeros: new Uint8Array(5000),
      nothing: new Uint8Array(),
      "a database": entriesOf(archive).get("lodestore.db") as Uint8Array,
    })) {
      expect(await refuses(inPieces(bytes), what)).toMatchObject({ code: "BAD_FORMAT" });
    }
  });

  test("when it lies about lengths", async () => {
    const database = entriesOf(archive).get("lodestore.db") as Uint8Array;
    const at = 512 + 512;
    for (const sizeBytes of [0, 512, database.byteLength - 512, database.byteLength + 512, 2 ** 40, 2 ** 52]) {
      const lying = archive.slice();
      lying.set(writeTarHeader({ name: "lodestore.db", sizeBytes, modifiedAt: 0 }), at);
      await refuses(inPieces(lying), `${sizeBytes} bytes in the header`);
      const more = archiveWith(archive, { manifest: (manifest) => (manifest["databaseBytes"] = sizeBytes) });
      await refuses(inPieces(more), `${sizeBytes} bytes in the manifest`);
    }
  });

  test("when a later release made it", async () => {
    const format = archiveWith(archive, { manifest: (manifest) => (manifest["formatVersion"] = 3) });
    expect(await refuses(inPieces(format), "format")).toMatchObject({ code: "SCHEMA_TOO_NEW" });
    const schema = archiveWith(archive, { manifest: (manifest) => (manifest["schemaVersion"] = 999) });
    expect(await refuses(inPieces(schema), "schema")).toMatchObject({ code: "SCHEMA_TOO_NEW" });
  });

  test("when its database is sound and another one, or holds what cannot be", async () => {
    const database = (change: (db: DatabaseSync) => void): Uint8Array =>
      archiveWith(archive, {
        database: (bytes) => {
          const path = join(folder, "changed.db");
          writeFileSync(path, bytes);
          const db = new DatabaseSync(path, { enableForeignKeyConstraints: false });
          for (const name of ["lodestore_terms", "lodestore_forms"]) db.function(name, { varargs: true }, () => "");
          change(db);
          db.close();
          const changed = new Uint8Array(readFileSync(path));
          rmSync(path);
          return changed;
        },
      });
    const job = (column: string, value: string): string =>
      `INSERT INTO jobs (job_id, kind, status, payload, created_at, updated_at) VALUES ('j', 'k', 'failed', '{}', 1, 1);
       UPDATE jobs SET ${column} = ${value} WHERE job_id = 'j'`;
    const cases: Record<string, (db: DatabaseSync) => void> = {
      "no store": (db) => db.exec("DROP TABLE schema_migrations"),
      "a table less": (db) => db.exec("DROP TABLE chat_turns"),
      "a column less": (db) => db.exec("ALTER TABLE jobs DROP COLUMN progress"),
      "a view in place of a table": (db) =>
        db.exec(
          "DROP TABLE chat_turns; CREATE VIEW chat_turns AS SELECT session_id AS turn_id, session_id, 0 AS turn_index, 'user' AS role, 'x' AS content, '[]' AS citations, 1 AS created_at FROM chat_sessions",
        ),
      "a chunk without a document": (db) => db.exec("DELETE FROM documents WHERE document_key = 1"),
      "a migration of another release": (db) => db.exec("UPDATE schema_migrations SET sha256 = 'x' WHERE version = 3"),
      "a vector of other dimensions": (db) =>
        db.exec(
          "PRAGMA ignore_check_constraints = ON; UPDATE chunk_embeddings_test_16 SET vector = x'0102' WHERE vector_key = 1",
        ),
      "an encoding of vectors that there is not": (db) =>
        db.exec("PRAGMA ignore_check_constraints = ON; UPDATE vector_tables SET encoding = 'i8'"),
      "a packed id of another length": (db) => db.exec("UPDATE blocks SET block_id = x'0102'"),
      "a list of packed ids of another length": (db) => db.exec("UPDATE chunks SET block_ids = x'0102'"),
      "a vector that is no number": (db) =>
        db.exec(`UPDATE chunk_embeddings_test_16 SET vector = x'0000c07f${"0100".repeat(16)}' WHERE vector_key = 1`),
      "a view that never ends in place of the counters": (db) =>
        db.exec(
          "ALTER TABLE kv RENAME TO old; CREATE VIEW kv AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT '' || x AS key, 'v' AS value FROM n",
        ),
      "a virtual table": (db) =>
        db.exec(
          "DROP TABLE chat_turns; CREATE VIRTUAL TABLE chat_turns USING fts5(turn_id, session_id, turn_index, role, content, citations, created_at)",
        ),
      "a chunk of a key that indexes cannot keep": (db) =>
        db.exec("UPDATE chunks SET chunk_key = 4294967296 WHERE chunk_key = 5"),
      "a row number after which there is none": (db) =>
        db.exec("UPDATE assets SET asset_key = 9223372036854775807 WHERE asset_key = 5"),
      "bytes in place of a text": (db) => db.exec("UPDATE documents SET title = x'00ff' WHERE document_key = 5"),
      "headings that are no JSON": (db) => db.exec("UPDATE chunks SET heading_path = 'nope' WHERE chunk_key = 5"),
      "keys that are in no order": (db) =>
        db.exec(
          "CREATE TABLE other AS SELECT * FROM jobs; DROP TABLE jobs; ALTER TABLE other RENAME TO jobs; INSERT INTO jobs (kind, status, payload, created_at, updated_at, sequence, attempt) WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1500) SELECT 'k', 'failed', '{}', 1, 1, 1, 1 FROM n",
        ),
      "a job of no status": (db) => db.exec(job("status", "'done'")),
      "a job whose progress is no object": (db) => db.exec(job("progress", "'[]'")),
      "a job after which none can be counted": (db) => db.exec(job("sequence", "9223372036854775807")),
      "a conversation after which none can be counted": (db) =>
        db.exec(
          "INSERT INTO chat_sessions (session_id, created_at, updated_at, activity) VALUES ('s', 1, 1, 9223372036854775807)",
        ),
      "citations that are no JSON": (db) =>
        db.exec(
          `DROP TRIGGER chat_turns_ai; INSERT INTO chat_sessions (session_id, created_at, updated_at) VALUES ('s', 1, 1);
           INSERT INTO chat_turns (turn_id, session_id, turn_index, role, content, citations, created_at)
             VALUES ('t', 's', 0, 'user', 'x', 'nope', 1)`,
        ),
      "no table of vectors where it says": (db) =>
        db.exec("UPDATE vector_tables SET table_name = 'chunk_embeddings_none_1'"),
      "a model of too many dimensions": (db) =>
        db.exec(
          "CREATE TABLE carried_models AS SELECT 'm' AS model_id, 5000 AS dimensions, 'dot' AS metric; CREATE TABLE carried_vectors (vector_key, embedding_id, vector)",
        ),
      "a table of vectors with a name of its own": (db) =>
        db.exec(`UPDATE vector_tables SET table_name = 'x" JOIN kv; --'`),
    };
    for (const [what, change] of Object.entries(cases)) {
      const before = await content();
      const bytes = database(change);
      const error = await target.store.import(inPieces(bytes)).catch((failure: unknown) => failure);
      typedError(what, error);
      expect([what, await content()]).toEqual([what, before]);
    }
  });

  test("not when its counters are none that can be counted on: the store's own serve", async () => {
    const path = join(folder, "counters.db");
    const changed = archiveWith(archive, {
      database: (bytes) => {
        writeFileSync(path, bytes);
        const db = new DatabaseSync(path);
        for (const key of ["corpus_revision", "last_chunk_key", "text_index_epoch"]) {
          db.exec(
            `INSERT INTO kv (key, value) VALUES ('${key}', '9223372036854775807') ON CONFLICT DO UPDATE SET value = excluded.value`,
          );
        }
        db.close();
        return new Uint8Array(readFileSync(path));
      },
    });
    rmSync(path);
    await using opened = await openEmbeddingStore({ vectors: flatVectors });
    expect(await opened.store.import(inPieces(changed))).toMatchObject({ documents: 30 });
    expect(await opened.store.ingest({ path: "more.md", content: "# More glaze" })).toMatchObject({ added: 1 });
    expect(await opened.store.check()).toMatchObject({ ok: true });
  });

  test.each(["ffffffffff", "00000000"])(
    "not when the averages of its text index are none (%s): its own serve",
    async (block) => {
      const path = join(folder, "averages.db");
      const changed = archiveWith(archive, {
        database: (bytes) => {
          writeFileSync(path, bytes);
          const db = new DatabaseSync(path, { defensive: false });
          db.exec(`UPDATE chunks_fts_data SET block = x'${block}' WHERE id = 1`);
          db.close();
          return new Uint8Array(readFileSync(path));
        },
      });
      rmSync(path);
      await using opened = await openEmbeddingStore({ vectors: flatVectors });
      expect(await opened.store.import(inPieces(changed))).toMatchObject({ documents: 30 });
      expect((await opened.store.search({ text: "glaze" })).hits).toHaveLength(10);
      await opened.store.ingest({ path: "more.md", content: "# More glaze" });
      expect(await opened.store.check()).toMatchObject({ ok: true });
    },
  );

  test("when the store is not empty, before anything is read", async () => {
    await using full = await openEmbeddingStore({ vectors: flatVectors });
    await full.store.ingest({ path: "a.md", content: "# A" });
    let read = 0;
    const counted = (async function* (): AsyncGenerator<Uint8Array> {
      read++;
      yield* inPieces(archive);
    })();
    await expect(full.store.import(counted)).rejects.toMatchObject({ code: "CONFLICT", capability: "archive" });
    expect(read).toBe(0);
    await using talk = await openEmbeddingStore({ vectors: flatVectors });
    await talk.db.run("INSERT INTO chat_sessions (session_id, created_at, updated_at) VALUES ('s', 1, 1)");
    await expect(talk.store.import(inPieces(archive))).rejects.toThrow("chat_sessions");
  });

  test("when another import runs", async () => {
    const { promise: waiting, resolve: go } = Promise.withResolvers<void>();
    const slow = (async function* (): AsyncGenerator<Uint8Array> {
      await waiting;
      yield new Uint8Array(512);
    })();
    const first = target.store.import(slow).catch((error: unknown) => error);
    await expect(target.store.import(inPieces(archive))).rejects.toMatchObject({ code: "CONFLICT" });
    go();
    expect(await first).toMatchObject({ code: "BAD_FORMAT" });
  });

  test("when its stream breaks, hands out no bytes, never ends or hangs", async () => {
    const before = await content();
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield archive.slice(0, 30_000);
      throw new RangeError("the line was cut");
    }
    const failure = await target.store.import(broken()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "DRIVER", capability: "archive", cause: expect.any(RangeError) as unknown });
    async function* texts(): AsyncGenerator<Uint8Array> {
      yield archive.slice(0, 30_000);
      yield "text" as never;
    }
    await expect(target.store.import(texts())).rejects.toMatchObject({ code: "INVALID_INPUT" });
    let ended = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        yield archive.slice(0, 1024);
        for (;;) yield new Uint8Array(65_536).fill(7);
      } finally {
        ended = true;
      }
    }
    await refuses(endless(), "endless");
    expect(ended).toBe(true);
    const controller = new AbortController();
    const hanging = (async function* (): AsyncGenerator<Uint8Array> {
      yield archive.slice(0, 30_000);
      setTimeout(() => controller.abort(), 1);
      await new Promise(() => undefined);
    })();
    const aborted = target.store.import(hanging, { signal: controller.signal });
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED", capability: "archive" });
    expect(await content()).toBe(before);
    expect(images()).toEqual([]);
  });
});

test.each(vectorStores)(
  "an import that is cancelled while it writes leaves the store as it was, vectors $way",
  async ({ over, way }) => {
    await using opened = await openEmbeddingStore({ vectors: over });
    for (const share of [0, 1]) {
      const controller = new AbortController();
      let seen = 0;
      const cancelled = opened.store.import(inPieces(archive), {
        signal: controller.signal,
        onProgress: ({ phase, done, total }) => {
          if (phase === "write" && (seen++, done >= share * (total ?? 0))) controller.abort();
        },
      });
      const outcome = await cancelled.catch((error: unknown) => error);
      expect(seen).toBeGreaterThan(0);
      expect(outcome).toMatchObject({ code: "ABORTED" });
      expect(await opened.store.stats()).toMatchObject({
        documents: 0,
        chunks: 0,
        embeddings: { committed: 0, pending: 0 },
      });
      expect(await opened.store.check()).toMatchObject({ ok: true });
      // Those of the engine that is apart here cannot be dropped.
      if (way === "in one transaction") expect(await opened.vectors.tables()).toEqual([]);
    }
    expect(await opened.store.import(inPieces(archive))).toMatchObject({ documents: 30 });
  },
);

test("an import of a stream that hangs ends when the store closes, and leaves it as it was", async () => {
  const path = join(folder, "closing.db");
  const opened = await openEmbeddingStore({ path, vectors: flatVectors });
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const hanging = (async function* (): AsyncGenerator<Uint8Array> {
    yield archive.slice(0, 30_000);
    begin();
    await new Promise(() => undefined);
  })();
  const imported = opened.store.import(hanging).catch((error: unknown) => error);
  await begun;
  await opened.store.close();
  expect(await imported).toMatchObject({ code: "CLOSED" });
  await expect(opened.store.import(inPieces(archive))).rejects.toMatchObject({ code: "CLOSED" });
  expect(images()).toEqual([]);
  await using again = await openEmbeddingStore({ path, vectors: flatVectors });
  expect(await again.store.stats()).toMatchObject({ documents: 0, chunks: 0 });
});

test("an import whose progress throws leaves the store as it was", async () => {
  await using opened = await openEmbeddingStore({ vectors: flatVectors });
  const failed = opened.store.import(inPieces(archive), {
    onProgress: ({ phase }) => {
      if (phase === "write") throw new RangeError("no more");
    },
  });
  await expect(failed).rejects.toThrow("no more");
  expect(await opened.store.stats()).toMatchObject({ documents: 0, chunks: 0 });
});

test("what is written while vectors are carried over waits, and stays when the import is undone", async () => {
  const controller = new AbortController();
  let ingest = (): Promise<unknown> => Promise.resolve();
  let ingested: Promise<unknown> | undefined;
  const hook = async (): Promise<void> => {
    if (ingested !== undefined) return;
    ingested = ingest();
    // Turns enough for an ingest that does not wait.
    for (let turn = 0; turn < 300; turn++) await nextTurn();
    controller.abort();
  };
  await using opened = await openEmbeddingStore({ vectors: (db) => new ApartVectorStore(flatVectors(db), db, hook) });
  const { store } = opened;
  ingest = () => store.ingest({ path: "mine.md", content: "# Mine\n\nprecious" }, { embed: "off" });
  const imported = store.import(inPieces(archive), { signal: controller.signal });
  await expect(imported).rejects.toMatchObject({ code: "ABORTED" });
  expect(await ingested).toMatchObject({ added: 1 });
  expect((await store.search({ text: "precious" })).hits).toHaveLength(1);
  expect(await store.documents.countDocuments()).toBe(1);
});
