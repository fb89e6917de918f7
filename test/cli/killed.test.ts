import { rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test, vi } from "vitest";
import type { IngestReport, SearchResult } from "../../src/node.ts";
import { KILL_ORDER, type KillOrder } from "./kill-at-statement.ts";
import { lodestore, lodestoreJson, makeFolder, manyNotes, start, writeFiles } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 120_000 });

const FILES = 300;
const PRELOAD = pathToFileURL(join(import.meta.dirname, "kill-at-statement.ts")).href;

/** Runs `lodestore ingest docs` until it kills itself. */
async function ingestKilled(folder: string, order: KillOrder, ...args: readonly string[]): Promise<void> {
  const env = { [KILL_ORDER]: JSON.stringify(order) };
  const outcome = await start(folder, ["ingest", "docs", ...args], { env, nodeArgs: ["--import", PRELOAD] }).ended;
  expect(outcome).toMatchObject({ code: null, signal: "SIGKILL", stdout: "" });
}

type Contents = Record<"documents" | "assets" | "passages" | "embedded" | "found", unknown[]>;

/** What is in the store of a folder: documents with their bytes, passages, which are embedded, and which a search finds. */
async function contents(folder: string): Promise<Contents> {
  const { hits } = await lodestoreJson<SearchResult>(folder, "search", "glaze", "-k", "1000");
  const db = new DatabaseSync(join(folder, ".lodestore/lodestore.db"), { readOnly: true });
  try {
    const all = (sql: string): unknown[] => db.prepare(sql).all();
    return {
      documents: all("SELECT document_id, workspace_path, title, asset_id FROM documents ORDER BY workspace_path"),
      assets: all("SELECT asset_id, content_hash, byte_length FROM assets ORDER BY asset_id"),
      passages: all(`SELECT chunk_id, document_id, ordinal, text FROM chunks JOIN documents USING (document_key)
                     ORDER BY document_id, ordinal`),
      embedded: all("SELECT chunk_id FROM embedding_records WHERE status = 'committed' ORDER BY chunk_id"),
      found: hits.map(({ chunkId }) => chunkId).sort(),
    };
  } finally {
    db.close();
  }
}

async function expectWell(folder: string): Promise<void> {
  const doctor = await lodestore(folder, "doctor");
  expect([doctor.code, doctor.stdout]).toEqual([0, expect.stringMatching(/\nAll is well\.\n$/u)]);
}

/** What an undisturbed run makes of these files, asked for once. */
const undisturbed = new Map<string, Promise<Contents>>();

function contentsOf(name: string, files: Readonly<Record<string, string>>): Promise<Contents> {
  const known = undisturbed.get(name);
  if (known !== undefined) return known;
  const made = (async (): Promise<Contents> => {
    const folder = makeFolder(files);
    expect(await lodestore(folder, "ingest", "docs")).toMatchObject({ code: 0 });
    const whole = await contents(folder);
    expect(whole.documents).toHaveLength(Object.keys(files).length);
    expect(whole.embedded).toHaveLength(whole.passages.length);
    return whole;
  })();
  undisturbed.set(name, made);
  return made;
}

const DOCUMENT = "INSERT INTO documents";
const PASSAGE = "INSERT INTO chunks";
const EMBEDDED = "INSERT INTO embedding_records";

describe.skipIf(process.platform === "win32")("an ingest that is killed", () => {
  test.each<{ where: string; order: KillOrder }>([
    { where: "while the tables are made", order: { steps: [["INSERT INTO schema_migrations", 3]], when: "after" } },
    { where: "at its first document", order: { steps: [[DOCUMENT, 1]], when: "after" } },
    { where: "among the passages of a document", order: { steps: [[PASSAGE, 150]], when: "before" } },
    {
      where: "before a commit half-way",
      order: {
        steps: [
          [DOCUMENT, 150],
          ["COMMIT", 1],
        ],
        when: "before",
      },
    },
    {
      where: "after a commit half-way",
      order: {
        steps: [
          [DOCUMENT, 150],
          ["COMMIT", 1],
        ],
        when: "after",
      },
    },
    { where: "at its first embedding", order: { steps: [[EMBEDDED, 1]], when: "after" } },
    {
      where: "after embeddings are committed",
      order: {
        steps: [
          [EMBEDDED, 2],
          ["COMMIT", 1],
        ],
        when: "after",
      },
    },
  ])("$where leaves a sound store, and the next one completes it", async ({ order }) => {
    const files = manyNotes(FILES);
    const folder = makeFolder(files);
    await ingestKilled(folder, order);
    await expectWell(folder);
    const report = await lodestoreJson<IngestReport>(folder, "ingest", "docs");
    expect(report).toMatchObject({ added: FILES - report.skipped, updated: 0, failures: [] });
    expect(await contents(folder)).toEqual(await contentsOf("new", files));
  });

  test("again and again comes to its end in the same store", async () => {
    const files = manyNotes(FILES);
    const folder = makeFolder(files);
    for (let round = 0; round < 4; round++) {
      await ingestKilled(folder, { steps: [[DOCUMENT, 70]], when: "after" });
      await expectWell(folder);
    }
    const report = await lodestoreJson<IngestReport>(folder, "ingest", "docs");
    expect(report.skipped).toBeGreaterThan(0);
    expect(await contents(folder)).toEqual(await contentsOf("new", files));
  });

  test.each<{ where: string; order: KillOrder }>([
    { where: "at a changed document", order: { steps: [[PASSAGE, 90]], when: "after" } },
    { where: "at a document that it sweeps", order: { steps: [["DELETE FROM documents", 20]], when: "after" } },
    {
      where: "before it commits the sweep",
      order: {
        steps: [
          ["DELETE FROM documents", 20],
          ["COMMIT", 1],
        ],
        when: "before",
      },
    },
  ])("$where brings nothing of both states together", async ({ order }) => {
    const before = manyNotes(FILES);
    const after = Object.fromEntries(
      Object.entries(manyNotes(FILES + 40))
        .filter((_, index) => index % 7 !== 0)
        .map(([path, text], index) => [path, index % 3 === 0 ? `${text}\nGlazed anew.\n` : text]),
    );
    const folder = makeFolder(before);
    expect(await lodestore(folder, "ingest", "docs")).toMatchObject({ code: 0 });
    rmSync(join(folder, "docs"), { recursive: true });
    writeFiles(folder, after);
    await ingestKilled(folder, order, "--sweep");
    await expectWell(folder);
    expect(await lodestore(folder, "ingest", "docs", "--sweep")).toMatchObject({ code: 0 });
    expect(await contents(folder)).toEqual(await contentsOf("changed", after));
    await expectWell(folder);
  });
});
