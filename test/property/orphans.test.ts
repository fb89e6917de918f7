import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { ChatTurn } from "../../src/contracts/chat.ts";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { Store } from "../../src/contracts/store.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlMemory } from "../../src/drivers/sql-memory.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import type { AnyVectorStore } from "../../src/store/embeddings/vector-side.ts";
import { storeFunctions as functions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import { ApartVectorStore } from "../support/apart-vector-store.ts";
import { NaiveStore, WORDS } from "../support/naive-store.ts";
import { sampleDocument } from "../support/sample-document.ts";
import { openSnapshotStore } from "../support/snapshot-store-case.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { flatVectors } from "../support/vector-stores.ts";

vi.setConfig({ testTimeout: 300_000 });

const path = fc.constantFrom("a.md", "b.md", "c/d.md", "c/e.md");
// Few texts, so that equal bytes at several paths, and bytes that come back, are the rule.
const words = fc.array(fc.constantFrom(...WORDS), { maxLength: 3, size: "max" });
const tags = fc.subarray(["red", "green", "blue"], { maxLength: 2 });
const version = fc.constantFrom("1", "2");

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("ingest" as const), path, words, tags }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("there and back" as const), path, words, other: words }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("copy" as const), path, to: path }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("rename" as const), path, to: path }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("put" as const), path, words, tags }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("tag" as const), path, tags }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("delete" as const, "purge" as const), path }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("sweep folder" as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("embed" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cite" as const), path }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("reopen" as const), version }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("sweep" as const, "repair" as const, "vacuum" as const) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rebuild" as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Parts {
  db: SqlDatabase;
  vectors: AnyVectorStore;
}

/** A store and its naive twin. */
class Twins {
  readonly naive = new NaiveStore();
  readonly #open: () => Promise<Parts>;
  readonly #turns: ChatTurn[] = [];
  #session = "";
  #version = "1";
  #store!: Store;
  #parts!: Parts;

  constructor(open: () => Promise<Parts>) {
    this.#open = open;
  }

  async open(): Promise<void> {
    this.#parts = await this.#open();
    const { db } = this.#parts;
    const embedder = new TestEmbedder(this.#version);
    this.#store = await createStore({ ...this.#parts, blobs: new SqlBlobStore(db), embedder, embedOnOpen: false });
    if (this.#session === "") this.#session = (await this.#store.chat.createSession({ title: "Kilns" })).id;
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async take(one: Step): Promise<void> {
    const { documents, embeddings, chat } = this.#store;
    const { files } = this.naive;
    switch (one.kind) {
      case "ingest":
        return this.#ingest(one.path, markdown(one.words), one.tags);
      case "there and back": {
        const first = markdown(one.words);
        for (const text of [first, markdown(one.other), first]) await this.#ingest(one.path, text, []);
        return;
      }
      case "copy": {
        const file = files.get(one.path);
        if (file !== undefined) await this.#ingest(one.to, file.text, file.tags);
        return;
      }
      case "rename": {
        // As a folder is taken in again after a file was renamed: what is there is read, what is gone is swept.
        const file = files.get(one.path);
        if (file === undefined || one.path === one.to) return;
        files.delete(one.path);
        files.set(one.to, file);
        return this.#ingestAll("");
      }
      case "sweep folder":
        for (const name of files.keys()) if (name.startsWith("c/")) files.delete(name);
        await this.#store.ingest([], { sweep: { prefix: "c/" }, embed: "off" });
        return;
      case "put": {
        const text = one.words.join("\n\n");
        await documents.putWhole(sampleDocument(one.path, text, { tags: one.tags, ingestedAt: 1 }));
        files.set(one.path, { text, tags: one.tags, chunks: one.words });
        return;
      }
      case "tag": {
        const file = files.get(one.path);
        const document = await documents.getDocumentByWorkspacePath(one.path);
        if (file === undefined || document === undefined) return;
        await documents.putDocument({ ...document, tags: one.tags });
        files.set(one.path, { ...file, tags: one.tags });
        return;
      }
      case "delete": {
        const document = await documents.getDocumentByWorkspacePath(one.path);
        expect(await documents.deleteDocument(document?.id ?? "none")).toBe(files.delete(one.path));
        return;
      }
      case "purge": {
        const ids = await documents.staleChunkIdsAt(one.path);
        expect(ids).toHaveLength(files.get(one.path)?.chunks.length ?? 0);
        expect(await documents.purgeOrphanAtWorkspacePath(one.path)).toEqual(ids);
        files.delete(one.path);
        return;
      }
      case "embed":
        await embeddings.run();
        return;
      case "cite": {
        const [chunkId] = await documents.staleChunkIdsAt(one.path);
        const citations = chunkId === undefined ? [] : [{ chunkId }];
        this.#turns.push(await chat.appendTurn(this.#session, { role: "assistant", text: "the kiln", citations }));
        return;
      }
      case "sweep":
        await embeddings.sweep({ pendingOlderThanMs: 0 });
        return;
      case "repair":
        expect(await this.#store.repair()).toMatchObject({ steps: [], check: { ok: true } });
        return;
      case "vacuum":
        expect(await this.#store.vacuum()).toMatchObject({ mode: "incremental", ended: "done" });
        return;
      case "rebuild":
        await documents.rebuildChunksFts();
        return;
      case "reopen":
        await this.#store.close();
        this.#version = one.version;
        return this.open();
    }
  }

  async #ingest(where: string, text: string, given: string[]): Promise<void> {
    await this.#store.ingest({ path: where, content: text, tags: given }, { embed: "off" });
    this.naive.files.set(where, { text, tags: given, chunks: sectionsOf(text) });
  }

  /** Takes in all files that there are, and sweeps the others. */
  async #ingestAll(prefix: string): Promise<void> {
    const files = [...this.naive.files].map(([name, file]) => ({ path: name, content: file.text, tags: file.tags }));
    const report = await this.#store.ingest(files, { sweep: { prefix }, embed: "off" });
    expect(report.failures).toEqual([]);
    for (const [name, file] of this.naive.files) {
      this.naive.files.set(name, { ...file, chunks: sectionsOf(file.text) });
    }
  }

  async expectSame(): Promise<void> {
    await this.naive.expectTables(this.#parts.db, this.#store);
  }

  /** After a sequence: no finding before anything is tidied, and after it nothing that is not of a file. */
  async expectNoOrphans(): Promise<void> {
    const { embeddings, chat } = this.#store;
    expect((await this.#store.check()).findings.filter(({ ok }) => !ok)).toEqual([]);
    await embeddings.run();
    await embeddings.sweep({ pendingOlderThanMs: 0 });
    await this.naive.expectEmbeddings(this.#parts.db, this.#parts.vectors, this.#version);
    expect((await this.#store.check()).findings.filter(({ ok }) => !ok)).toEqual([]);
    // What was cited is kept with the turn, whatever became of the document.
    expect((await chat.listTurns(this.#session, { limit: 500 })).items).toEqual(this.#turns);
  }
}

function markdown(some: readonly string[]): string {
  return some.map((word, n) => `## Part ${n}\n\nThe ${word} of part${n}.\n`).join("\n");
}

/** Each part is a chunk; what has no headings is one. */
function sectionsOf(text: string): string[] {
  const parts = text.split(/^## .*$/mu).map((part) => part.trim());
  return parts.filter((part) => part !== "");
}

const STORES: readonly {
  name: string;
  runs: number;
  open: (file: string, snapshots: MemoryBlobStore) => Promise<Parts>;
}[] = [
  {
    name: "a file, and vectors compared one by one",
    runs: 12,
    open: async (file) => over(await openSqlNode({ path: file, functions }), flatVectors),
  },
  {
    name: "a file, and a graph with its snapshots",
    runs: 12,
    open: async (file, snapshots) =>
      over(await openSqlNode({ path: file, functions }), (db) => openSnapshotStore(db, snapshots, { graphAbove: 2 })),
  },
  {
    name: "a file, and vectors apart from it",
    runs: 10,
    open: async (file) =>
      over(await openSqlNode({ path: file, functions }), (db) => new ApartVectorStore(flatVectors(db), db)),
  },
];

function over(db: SqlDatabase, vectors: (db: SqlDatabase) => AnyVectorStore): Parts {
  return { db, vectors: vectors(db) };
}

/** 34 sequences of 30 steps in files, and 10 in memory: more than 1,000 a run. */
const STEPS = { minLength: 30, maxLength: 30 };

describe("after any steps nothing is left that is of no file", () => {
  test.each(STORES)("in $name", async ({ runs, open }) => {
    const folder = await mkdtemp(join(tmpdir(), "lodestore-orphans-"));
    let run = 0;
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(step, STEPS), async (steps) => {
          const file = join(folder, `${run++}.db`);
          const snapshots = new MemoryBlobStore();
          await takeAll(new Twins(() => open(file, snapshots)), steps);
        }),
        { numRuns: runs },
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test("in memory", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, STEPS), async (steps) => {
        const twins = new Twins(async () => over(await openSqlMemory({ functions }), flatVectors));
        // What is in memory ends with the store.
        await takeAll(
          twins,
          steps.filter(({ kind }) => kind !== "reopen"),
        );
      }),
      { numRuns: 10 },
    );
  });
});

async function takeAll(twins: Twins, steps: readonly Step[]): Promise<void> {
  await twins.open();
  try {
    for (const one of steps) {
      await twins.take(one);
      await twins.expectSame();
    }
    await twins.expectNoOrphans();
  } finally {
    await twins.close();
  }
}
