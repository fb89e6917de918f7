import { afterAll, beforeAll, expect, test } from "vitest";
import { mkdtemp, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { IngestFile, Store } from "../../src/contracts/store.ts";
import { openStore } from "../../src/node.ts";
import { openTestStore } from "../support/open-test-store.ts";

let store: Store;
let db: SqlDatabase;
beforeAll(async () => {
  ({ store, db } = await openTestStore());
});
afterAll(() => store.close());

const file: IngestFile = { path: "a.md", content: "# A" };
const any = (value: unknown): never => value as never;

test.each<[string, string, () => Promise<unknown>]>([
  ...[null, undefined, 5, "x"].map((source): [string, string, () => Promise<unknown>] => [
    `an ingest of ${String(source)}`,
    "source",
    () => store.ingest(any(source)),
  ]),
  ["an ingest with null as options", "options", () => store.ingest(file, any(null))],
  ["an ingest with a number as options", "options", () => store.ingest(file, any(5))],
  ["an ingest with a number as signal", "signal", () => store.ingest(file, any({ signal: 5 }))],
  ["an ingest with null as signal", "signal", () => store.ingest(file, any({ signal: null }))],
  ["a search with null as options", "options", () => store.search({ text: "a" }, any(null))],
  ["a search with a number as signal", "signal", () => store.search({ text: "a" }, any({ signal: 5 }))],
  ["a search with null as filters", "filters", () => store.search({ text: "a", filters: any(null) })],
  ["a search with a bad glob", "filters.pathGlob", () => store.search({ text: "a", filters: { pathGlob: any(5) } })],
  ["a sweep above the root", "sweep.prefix", () => store.ingest([file], { sweep: { prefix: "../" } })],
  ["a sweep from the root of the disk", "sweep.prefix", () => store.ingest([file], { sweep: { prefix: "/notes" } })],
  ["opening without options", "options", () => openStore(any(undefined))],
  ["opening null", "options", () => openStore(any(null))],
  ["opening without a folder", "dir", () => openStore(any({}))],
  ["opening with an option that there is not", '"embeder"', () => openStore(any({ dir: "x", embeder: {} }))],
  ["opening with yes for true", "embedOnOpen", () => openStore(any({ dir: "x", embedOnOpen: "yes" }))],
  ["opening with a number as settings", "vectors", () => openStore(any({ dir: "x", vectors: 5 }))],
  ...[
    { graphFrom: 1 },
    { graphAbove: -1 },
    { m: 3 },
    { m: "x" },
    { m: 65 },
    { efConstruction: 0 },
    { quantization: "pq" },
    { residentBytes: Number.NaN },
    { maxMemoryBytes: 1000 },
  ].map((vectors): [string, string, () => Promise<unknown>] => [
    `opening with ${JSON.stringify(vectors)}`,
    Object.keys(vectors)[0] as string,
    () => openStore({ dir: "x", vectors: any(vectors) }),
  ]),
])("%s is refused, and names the field", async (_, field, call) => {
  await expect(call()).rejects.toMatchObject({
    code: "INVALID_INPUT",
    message: expect.stringContaining(field) as string,
  });
});

test("a sweep takes the beginning of a name", async () => {
  await store.ingest([
    { path: "notes-1.md", content: "# One" },
    { path: "notes-2.md", content: "# Two" },
  ]);
  const { removed } = await store.ingest([{ path: "notes-1.md", content: "# One" }], { sweep: { prefix: "notes-" } });
  expect(removed).toBe(1);
});

test("a folder in the place of the database is named as one", async () => {
  const dir = await mkdtemp(join(tmpdir(), "lodestore-"));
  await mkdir(join(dir, "lodestore.db"));
  await expect(openStore({ dir })).rejects.toMatchObject({
    code: "DRIVER",
    message: expect.stringContaining("is a folder") as string,
  });
  await rm(dir, { recursive: true });
});

test("an ingest that the closing of its store ends says CLOSED", async () => {
  const { store } = await openTestStore();
  async function* endless(): AsyncGenerator<IngestFile> {
    for (let n = 0; ; n++) yield { path: `${n}.md`, content: `# ${n}` };
  }
  const [ingest] = await Promise.allSettled([store.ingest(endless()), store.close()]);
  expect(ingest).toMatchObject({ status: "rejected", reason: { code: "CLOSED" } });
});

test("a check names a lost corpus revision", async () => {
  await db.run("DELETE FROM kv WHERE key = 'corpus_revision'");
  const { ok, findings } = await store.check();
  expect(ok).toBe(false);
  expect(findings.find(({ name }) => name === "corpus revision")).toMatchObject({ ok: false });
});
