import { expect } from "vitest";
import type { Store } from "../../src/contracts/store.ts";
import type { CrashLine, CrashStep } from "./crash-steps.ts";
import { allChunks, type OpenedParts, visibleChunks } from "./visible-chunks.ts";

/** What must be in the store, whatever happened to the process. */
export class Promised {
  /** Path to text of what was written to its end. */
  readonly documents = new Map<string, string>();
  /** Version of the last run that came to its end, or that took over since; what was touched since need not be embedded. */
  version: string | null = null;
  touched = new Set<string>();
  /** What this process touched. */
  touchedNow = new Set<string>();
  /** What broke off. */
  open: CrashStep | undefined;

  hear(lines: readonly CrashLine[]): void {
    this.open = undefined;
    this.touchedNow = new Set();
    for (const line of lines) {
      if ("begin" in line) this.open = line.begin;
      if ("done" in line) this.#take(line.done);
    }
  }

  #take(step: CrashStep): void {
    this.open = undefined;
    if (step.kind === "write" && this.documents.get(step.path) !== step.text) {
      this.documents.set(step.path, step.text);
      this.touch(step.path);
    }
    if (step.kind === "delete") this.documents.delete(step.path);
    if (step.kind === "run") this.embedded(step.version);
  }

  touch(path: string): void {
    this.touched.add(path);
    this.touchedNow.add(path);
  }

  embedded(version: string): void {
    this.version = version;
    this.touched = new Set();
    // Whatever takes over from here on has what is there now.
    this.touchedNow = new Set();
  }

  /** Another version took over, in the background: whole, if the one before had something that is embedded, as it had where a
   *  document was not touched since; else with the first that was embedded for it. */
  tookOver(version: string | null): void {
    const whole = [...this.documents.keys()].some((path) => !this.touched.has(path));
    if (whole) this.touched = new Set(this.touchedNow);
    this.version = version;
  }
}

/** Nothing that was promised is lost, and nothing is visible that is not committed. */
export async function expectKept(opened: OpenedParts, promised: Promised): Promise<void> {
  const { store, db } = opened;
  const report = await store.check();
  // Vectors without a record are what a crash may leave where vectors commit on their own.
  const damage = report.findings.filter((one) => !one.ok && !/^\d+ vectors in \S+ have no record/u.test(one.detail));
  expect(damage).toEqual([]);
  await expectDocuments(opened, promised);
  const row = await db.get<{ serving: string | null }>("SELECT serving_version AS serving FROM embedding_models");
  const serving = row?.serving ?? null;
  const visible = await visibleChunks(opened);
  const committed = await db.all<{ id: string }>(
    `SELECT chunk_id AS id FROM embedding_records r WHERE status = 'committed' AND model_version = $1
       AND EXISTS (SELECT 1 FROM chunks c WHERE c.chunk_id = r.chunk_id) ORDER BY chunk_id`,
    [serving],
  );
  expect(visible).toEqual(committed.map(({ id }) => id));
  if (promised.version === null) return;
  if (serving !== promised.version) promised.tookOver(serving);
  for (const path of promised.documents.keys()) {
    if (promised.touched.has(path)) continue;
    const chunks = await store.documents.staleChunkIdsAt(path);
    expect(visible).toEqual(expect.arrayContaining(chunks));
  }
}

/** Every document is what it was, and the one at which it broke off what it was or was to be. */
async function expectDocuments({ store }: OpenedParts, promised: Promised): Promise<void> {
  const { open, documents } = promised;
  if (open?.kind === "write" || open?.kind === "delete") {
    const now = await textAt(store, open.path);
    const after = open.kind === "write" ? open.text : undefined;
    expect([documents.get(open.path), after]).toContain(now);
    if (now === undefined) documents.delete(open.path);
    else documents.set(open.path, now);
    promised.touch(open.path);
  }
  expect(await store.documents.allWorkspacePaths()).toEqual([...documents.keys()].sort());
  for (const [path, text] of documents) expect(await textAt(store, path)).toBe(text);
}

async function textAt(store: Store, path: string): Promise<string | undefined> {
  const document = await store.documents.getDocumentByWorkspacePath(path);
  if (document === undefined) return undefined;
  return new TextDecoder().decode(await store.documents.getAssetBytes(document.assetId));
}

/** The next run and sweep bring everything to where it would have been without a crash. */
export async function expectConverges(opened: OpenedParts, version: string): Promise<void> {
  const { store, db, vectors } = opened;
  await store.embeddings.run();
  await store.embeddings.sweep({ pendingOlderThanMs: 0 });
  const chunks = await allChunks(db);
  expect(await visibleChunks(opened)).toEqual(chunks);
  const { embeddings } = await store.stats();
  expect(embeddings).toMatchObject({ pending: 0, tombstones: 0 });
  const [table] = await vectors.tables();
  // Killed before its first document the store has no chunk, and no table either.
  const count = async (...of: [string?]): Promise<number> =>
    table === undefined ? 0 : vectors.count(table.indexId, ...of);
  expect(await count()).toBe(embeddings.committed);
  // What an embedder of another version began stays for it; nothing else does.
  const { generations } = await store.embeddings.status();
  expect(generations.map(({ role }) => role)).not.toContain("retired");
  expect(await count(version)).toBe(chunks.length);
  expect((await store.check()).findings.filter((one) => !one.ok)).toEqual([]);
}
