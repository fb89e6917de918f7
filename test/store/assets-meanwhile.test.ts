import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { externalKey } from "../../src/store/documents/external-key.ts";
import { assetContentHash, assetId, documentId } from "../../src/store/ids.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import type { LocalStore } from "../../src/store/lodestore-store.ts";
import type { StoreParts } from "../../src/store/store-parts.ts";
import { createStore } from "../../src/store/store.ts";
import { isSame, patterned } from "../conformance/blob-streams.ts";
import { sampleDocument } from "../support/sample-document.ts";

const BYTES = patterned(2 * 1024 * 1024);

/** What comes between two steps of a read. */
interface Between {
  beforeRead?: (() => Promise<void>) | undefined;
  afterMiss?: (() => Promise<void>) | undefined;
}

/** Blobs in memory that let something happen before the next look for bytes, and after one that found none. */
class InterruptedBlobs extends MemoryBlobStore {
  readonly between: Between = {};

  async #interrupted<T>(look: () => Promise<T>, isMiss: (found: T) => boolean = () => false): Promise<T> {
    const { beforeRead } = this.between;
    this.between.beforeRead = undefined;
    await beforeRead?.();
    const after = async (): Promise<void> => {
      const { afterMiss } = this.between;
      this.between.afterMiss = undefined;
      await afterMiss?.();
    };
    try {
      const found = await look();
      if (isMiss(found)) await after();
      return found;
    } catch (error) {
      await after();
      throw error;
    }
  }

  override get(key: string): Promise<Uint8Array> {
    return this.#interrupted(() => super.get(key));
  }

  override sizeOf(key: string): Promise<number | undefined> {
    return this.#interrupted(
      () => super.sizeOf(key),
      (found) => found === undefined,
    );
  }

  override async *getStream(
    ...args: Parameters<MemoryBlobStore["getStream"]>
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const first = super.getStream(...args);
    const next = await this.#interrupted(() => first.next());
    if (next.done === true) return;
    yield next.value;
    yield* first;
  }
}

function partsOf(db: SqlDatabase): StoreParts {
  return { db, blobs: new SqlBlobStore(db) };
}

async function open(): Promise<{ store: LocalStore; between: Between; id: string }> {
  const db = await openSqlNode({ path: ":memory:", functions: storeFunctions });
  const assets = new InterruptedBlobs();
  const store = await createStore({ ...partsOf(db), assets });
  onTestFinished(() => store.close());
  await put(store);
  return { store, between: assets.between, id: assetId(assetContentHash(BYTES)) };
}

/** A document without parts: parsing takes longer than all else here. */
async function put(store: LocalStore): Promise<void> {
  const asset = assetId(assetContentHash(BYTES));
  const { document } = sampleDocument("large.md", "One.");
  const id = documentId({ assetId: asset, parserVersion: document.parserVersion, workspacePath: "large.md" });
  await store.documents.putWhole({
    bytes: BYTES,
    document: { ...document, id, assetId: asset },
    blocks: [],
    chunks: [],
  });
}

async function drop(store: LocalStore): Promise<void> {
  await store.documents.purgeOrphanAtWorkspacePath("large.md");
}

test("bytes that somebody else may be putting are not swept by who only reads", async () => {
  const dir = mkdtempSync(join(tmpdir(), "lodestore-assets-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, "lodestore.db");
  await (await createStore(partsOf(await openSqlNode({ path, functions: storeFunctions })))).close();
  const assets = new MemoryBlobStore();
  await assets.put(externalKey(assetContentHash(BYTES)), BYTES);
  const db = await openSqlNode({ path, functions: storeFunctions, readOnly: true });
  await using store = await createStore({ ...partsOf(db), assets, readOnly: true });
  expect(await store.documents.sweepBlobs({ dryRun: true })).toMatchObject({ deleted: 1 });
  await expect(store.documents.sweepBlobs()).rejects.toMatchObject({ code: "UNSUPPORTED", capability: "documents" });
  await expect(store.repair()).rejects.toMatchObject({ code: "UNSUPPORTED" });
  expect(await assets.list("")).toHaveLength(1);
});

describe("large bytes that are deleted meanwhile", () => {
  test.each([{ deep: false }, { deep: true }])("are no damage to a check ($deep)", async ({ deep }) => {
    const { store, between } = await open();
    // The look at their length comes first, and reading them is the second.
    between.beforeRead = () => drop(store);
    if (deep) between.beforeRead = async () => void (between.beforeRead = () => drop(store));
    const { findings } = await store.check({ deep });
    expect(between.beforeRead).toBeUndefined();
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
  });

  test("and put again are no damage to a check", async () => {
    const { store, between } = await open();
    between.beforeRead = () => drop(store);
    between.afterMiss = () => put(store);
    const { findings } = await store.check();
    expect(between.afterMiss).toBeUndefined();
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
  });

  test("and put again are read", async () => {
    const { store, between, id } = await open();
    between.beforeRead = () => drop(store);
    between.afterMiss = () => put(store);
    expect(isSame(await store.documents.getAssetBytes(id), BYTES)).toBe(true);
    expect(between.afterMiss).toBeUndefined();
  });

  test("and put again are streamed", async () => {
    const { store, between, id } = await open();
    between.beforeRead = () => drop(store);
    between.afterMiss = () => put(store);
    const parts: Uint8Array[] = [];
    for await (const piece of store.documents.getAssetStream(id, { verify: true })) parts.push(piece);
    expect(isSame(new Uint8Array(Buffer.concat(parts)), BYTES)).toBe(true);
    expect(between.afterMiss).toBeUndefined();
  });
});
