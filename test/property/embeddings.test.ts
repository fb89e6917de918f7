import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { StorageError } from "../../src/errors.ts";
import { hash32 } from "../../src/store/ids.ts";
import { EmbeddingModel } from "../support/embedding-model.ts";
import { allChunks, type EmbeddingStore, openEmbeddingStore, visibleChunks } from "../support/open-embedding-store.ts";
import { sampleDocument } from "../support/sample-document.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { hookedVectors } from "../support/vector-stores.ts";

const POISON = "poison";
const MODEL = { modelId: "test", dimensions: 16 };

const path = fc.constantFrom("a.md", "b.md", "c/d.md");
const version = fc.constantFrom("1", "2", "3");
const words = fc.array(fc.constantFrom("kiln", "glaze", "clay", "ash", POISON), { minLength: 0, maxLength: 5 });

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("write" as const), path, words }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), path }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("run" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("fail" as const), after: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("break" as const), at: fc.nat(6) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("race" as const), path, words }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("put" as const), version, take: fc.nat(15), at: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("drop" as const), version }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("sweep" as const), maxDelete: fc.constantFrom(1, 3, 10_000) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("reopen" as const), version }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** One store under test, and what its next steps of the vector side are to throw. */
class Subject {
  readonly #file: string;
  readonly #apart: boolean;
  readonly model = new EmbeddingModel();
  opened!: EmbeddingStore;
  embedder!: TestEmbedder;
  /** The vector side throws at this step, counted from now on. */
  breakAt = -1;

  constructor(file: string, apart: boolean) {
    this.#file = file;
    this.#apart = apart;
  }

  async open(modelVersion: string): Promise<void> {
    this.embedder = new TestEmbedder(modelVersion, 2);
    this.embedder.before = refusePoison;
    const hook = (name: string): void => {
      if (this.breakAt-- === 0)
        throw new StorageError("DRIVER", `broken ${name}`, { capability: "vectors", operation: name });
    };
    this.opened = await openEmbeddingStore({
      path: this.#file,
      embedder: this.embedder,
      vectors: (db) => hookedVectors(db, this.#apart, hook),
    });
  }

  get db(): SqlDatabase {
    return this.opened.db;
  }

  async take(one: Step): Promise<void> {
    const { store } = this.opened;
    const { embeddings } = store;
    const { model } = this;
    const running = this.embedder.modelVersion;
    switch (one.kind) {
      case "write":
        await this.#write(one.path, one.words);
        model.setChunks(await allChunks(this.db));
        return;
      case "delete":
        await this.#write(one.path, undefined);
        model.setChunks(await allChunks(this.db));
        return;
      case "run":
        await embeddings.run();
        await this.#ran(running);
        return;
      case "fail": {
        let calls = 0;
        this.embedder.before = (texts) => {
          if (calls++ >= one.after) throw new Error("no network");
          refusePoison(texts);
        };
        const failed = await embeddings.run().then(nothing, (error: unknown) => error);
        this.embedder.before = refusePoison;
        if (failed === undefined) return this.#ran(running);
        expect(failed).toMatchObject({ name: "StorageError", code: "DRIVER", cause: expect.any(Error) });
        expect((await embeddings.status()).lastError).toBe(failed);
        return this.#endedEarly(running);
      }
      case "break": {
        this.breakAt = one.at;
        const failed = await embeddings.run().then(nothing, (error: unknown) => error);
        this.breakAt = -1;
        if (failed === undefined) return this.#ran(running);
        expect(failed).toMatchObject({ code: "DRIVER", message: expect.stringMatching(/^broken/u) });
        return this.#endedEarly(running);
      }
      case "race":
        await Promise.all([embeddings.run(), this.#write(one.path, one.words), embeddings.run()]);
        await embeddings.run();
        model.setChunks(await allChunks(this.db));
        // Which of the two was first decides what served meanwhile, not what is left.
        await this.#settled(running);
        return;
      case "put": {
        const chosen = [...model.chunks].sort().filter((_, at) => (one.take >> (at % 4)) & 1);
        const unknown = hash32("nobody");
        const records = [...chosen, unknown].map((chunkId, at) => ({ chunkId, vector: vectorOf(at) }));
        this.breakAt = one.at;
        const report = await embeddings
          .put({ ...MODEL, modelVersion: one.version }, records)
          .catch((error: unknown) => error as StorageError);
        this.breakAt = -1;
        if (report instanceof StorageError) {
          expect(report).toMatchObject({ code: "DRIVER", message: expect.stringMatching(/^broken/u) });
          return this.#endedEarly(one.version);
        }
        expect(report).toEqual({ stored: chosen.length, unknown: [unknown] });
        if (chosen.length > 0) model.claim(one.version);
        model.commit(one.version, chosen);
        if (model.swapWhenComplete(one.version)) model.tidy();
        return;
      }
      case "drop":
        await embeddings.drop({ ...MODEL, modelVersion: one.version });
        model.drop(one.version);
        return;
      case "sweep": {
        const options = { maxDelete: one.maxDelete, pendingOlderThanMs: 0 };
        const would = await embeddings.sweep({ ...options, dryRun: true });
        const did = await embeddings.sweep(options);
        expect(did).toEqual({ ...would, dryRun: false });
        if (did.more) await this.#forgetRetired();
        else model.tidy();
        return;
      }
      case "reopen":
        await store.close();
        await this.open(one.version);
        return;
    }
  }

  async #write(at: string, paragraphs: readonly string[] | undefined): Promise<void> {
    const { documents } = this.opened.store;
    if (paragraphs !== undefined) {
      const text = paragraphs.map((word, n) => `${word} ${n}`).join("\n\n");
      await documents.putWhole(sampleDocument(at, text, { ingestedAt: 1 }));
      return;
    }
    const document = await documents.getDocumentByWorkspacePath(at);
    if (document !== undefined) await documents.deleteDocument(document.id);
  }

  /** A run came to its end: everything is embedded but what the embedder refuses. */
  async #ran(running: string): Promise<void> {
    const { model } = this;
    if (!model.isComplete(running)) {
      const rows = await this.db.all<{ id: string; text: string }>("SELECT chunk_id AS id, text FROM chunks");
      model.claim(running);
      model.commit(
        running,
        rows.filter(({ text }) => !text.includes(POISON)).map(({ id }) => id),
      );
      model.swapWhenComplete(running);
      model.serveWithGaps(running);
    }
    model.tidy();
  }

  /** A run that ended early has added to its version, and taken away nothing that is not retired. */
  async #endedEarly(running: string): Promise<void> {
    const { model } = this;
    const before = new Map(model.committed);
    const now = await this.#committed();
    for (const [version, chunks] of before) {
      const there = now.get(version) ?? new Set();
      if (version === running) expect(there.isSupersetOf(chunks)).toBe(true);
      else if (version === model.serving) expect(there.size === 0 || there.isSupersetOf(chunks)).toBe(true);
    }
    await this.#readBack(now);
  }

  async #settled(running: string): Promise<void> {
    await this.#readBack(await this.#committed());
    const { model } = this;
    const missing = [...model.chunks.difference(model.of(running))];
    for (const id of missing) {
      const row = await this.db.get<{ text: string }>("SELECT text FROM chunks WHERE chunk_id = $1", [id]);
      expect(row?.text).toContain(POISON);
    }
    if (model.of(running).size > 0) expect(model.serving).toBe(running);
  }

  async #readBack(now: Map<string, Set<string>>): Promise<void> {
    const { model } = this;
    model.committed.clear();
    for (const [version, chunks] of now) {
      expect(chunks.isSubsetOf(model.chunks)).toBe(true);
      model.committed.set(version, chunks);
    }
    const row = await this.#modelRow();
    // What serves changes only to a version that is as complete, or from one that had nothing to show.
    model.serving = row?.serving ?? null;
    model.building = row?.building ?? null;
  }

  /** A sweep with a small limit deletes some of what is retired. */
  async #forgetRetired(): Promise<void> {
    const now = await this.#committed();
    for (const [version, chunks] of this.model.committed) {
      if (version === this.model.serving || version === this.model.building) continue;
      const left = now.get(version) ?? new Set();
      expect(left.isSubsetOf(chunks)).toBe(true);
      this.model.committed.set(version, left);
    }
  }

  #modelRow(): Promise<{ serving: string | null; building: string | null } | undefined> {
    return this.db.get("SELECT serving_version AS serving, building_version AS building FROM embedding_models");
  }

  async #committed(): Promise<Map<string, Set<string>>> {
    const rows = await this.db.all<{ version: string; id: string }>(
      "SELECT model_version AS version, chunk_id AS id FROM embedding_records WHERE status = 'committed'",
    );
    const sets = new Map<string, Set<string>>();
    for (const { version, id } of rows) sets.set(version, (sets.get(version) ?? new Set()).add(id));
    return sets;
  }

  async expectSame(): Promise<void> {
    const { model } = this;
    expect(await visibleChunks(this.opened)).toEqual(model.visible);
    const row = await this.#modelRow();
    expect({ serving: row?.serving ?? null, building: row?.building ?? null }).toEqual({
      serving: model.serving,
      building: model.building,
    });
    const sorted = (sets: Map<string, Set<string>>): [string, string[]][] =>
      [...sets]
        .filter(([, ids]) => ids.size > 0)
        .map(([version, ids]): [string, string[]] => [version, [...ids].sort()])
        .sort(([a], [b]) => Number(a) - Number(b));
    expect(sorted(await this.#committed())).toEqual(sorted(model.committed));
    const status = await this.opened.store.embeddings.status();
    const done = model.of(this.embedder.modelVersion).size;
    expect(status).toMatchObject({ chunks: model.chunks.size, committed: done, missing: model.chunks.size - done });
    expect(status).toMatchObject({ serving: model.serving, building: model.building, running: false });
    // Whatever broke off, every vector has a record and every committed record a vector.
    const swept = await this.opened.store.embeddings.sweep({ dryRun: true });
    expect(swept).toMatchObject({ lost: 0, orphans: 0 });
  }

  /** After a whole sweep there is one vector for every committed record and nothing else, and no damage. */
  async expectClean(): Promise<void> {
    const { embeddings } = this.opened.store;
    await embeddings.sweep({ pendingOlderThanMs: 0 });
    this.model.tidy();
    await this.expectSame();
    const nothingLeft = { tombstones: 0, retired: 0, pending: 0, lost: 0, orphans: 0, more: false };
    expect(await embeddings.sweep({ pendingOlderThanMs: 0, dryRun: true })).toMatchObject(nothingLeft);
    const { committed, pending, tombstones } = (await this.opened.store.stats()).embeddings;
    expect({ pending, tombstones }).toEqual({ pending: 0, tombstones: 0 });
    for (const { indexId } of await this.opened.vectors.tables()) {
      expect(await this.opened.vectors.count(indexId)).toBe(committed);
    }
    const { findings } = await this.opened.store.check();
    expect(findings.filter((one) => !one.ok)).toEqual([]);
  }
}

function nothing(): undefined {}

function refusePoison(texts: readonly string[]): void {
  if (!texts.some((text) => text.includes(POISON))) return;
  throw new StorageError("INVALID_INPUT", "a text is not to its taste", { capability: "embedder", operation: "embed" });
}

function vectorOf(seed: number): Float32Array {
  return Float32Array.from({ length: 16 }, (_, at) => Math.cos(seed * 7 + at));
}

describe.each([
  { way: "in one transaction", apart: false },
  { way: "phase by phase", apart: true },
])("embeddings written $way", ({ apart }) => {
  test("are after any steps what a naive model is", { timeout: 240_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "lodestore-embeddings-"));
    let run = 0;
    try {
      await fc.assert(
        fc.asyncProperty(version, fc.array(step, { maxLength: 16, size: "max" }), async (first, steps) => {
          const subject = new Subject(join(folder, `${run++}.db`), apart);
          await subject.open(first);
          try {
            for (const one of steps) {
              await subject.take(one);
              await subject.expectSame();
            }
            await subject.expectClean();
          } finally {
            await subject.opened.store.close();
          }
        }),
        { numRuns: Number(process.env["LODESTORE_PROPERTY_RUNS"] ?? 40) },
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
