import { createHash } from "node:crypto";
import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, test, vi } from "vitest";
import type { CheckFinding, RepairReport, SearchResult } from "../../src/node.ts";
import { damage } from "../support/damage.ts";
import { lodestore, lodestoreJson, makeFolder, makeStore, manyNotes, writeFiles } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 120_000 });

const NOTES = manyNotes(12);
const VECTORS = "chunk_embeddings_hashing_384";
const INDEX = `vector index ${VECTORS} version 1`;

interface Examination {
  ok: boolean;
  findings: CheckFinding[];
  fix?: Omit<RepairReport, "check">;
}

interface Damaged {
  folder: string;
  file: string;
  /** The snapshot of the vector index. */
  snapshot: string;
  /** What it answers while it is sound. */
  sound: unknown[];
}

/** A store that was made once, and what it answers. */
let template: { folder: string; sound: unknown[] } | undefined;

afterAll(() => {
  if (template !== undefined) rmSync(template.folder, { recursive: true, force: true });
});

/** A store with notes, their embeddings, and a snapshot of the index; and what a store answers that was made of them. */
async function storeWithSnapshot(): Promise<Damaged> {
  if (template === undefined) {
    const made = await makeStore(NOTES);
    const sound = await answers(made);
    await lodestore(made, "reindex", "-q");
    template = { folder: mkdtempSync(join(tmpdir(), "lodestore-cli-")), sound };
    cpSync(made, template.folder, { recursive: true });
  }
  const folder = makeFolder();
  cpSync(template.folder, folder, { recursive: true });
  const blobs = join(folder, ".lodestore/blobs");
  const [name] = readdirSync(blobs, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".lhv1"));
  const file = join(folder, ".lodestore/lodestore.db");
  return { folder, file, snapshot: join(blobs, name ?? "none"), sound: template.sound };
}

/** What is found, by words and by meaning: chunk and score of each hit. */
async function answers(folder: string): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const mode of ["lexical", "hybrid"]) {
    const { hits } = await lodestoreJson<SearchResult>(folder, "search", "glaze", "number", "7", "--mode", mode);
    found.push(hits.map(({ chunkId, score }) => [chunkId, score.toFixed(4)]));
  }
  return found;
}

function problemsOf({ findings }: Examination): string[] {
  return findings.filter(({ ok }) => !ok).map(({ name }) => name);
}

const sql =
  (...statements: string[]) =>
  ({ file }: Damaged): void =>
    damage(file, (db: DatabaseSync) => db.exec(statements.join(";")));

describe("lodestore doctor --fix", () => {
  test.each<[what: string, harm: (store: Damaged) => void, found: string[]]>([
    [
      "rows of the text index that were exchanged",
      sql(
        "DELETE FROM chunks_fts WHERE rowid = 2",
        "INSERT INTO chunks_fts (rowid, heading, text, forms) VALUES (9999, 'glaze', 'glaze', '')",
      ),
      ["text index in step with chunks"],
    ],
    [
      "lists of the text index that are gone",
      sql("DELETE FROM chunks_fts_data WHERE id > 10"),
      ["text index structure"],
    ],
    [
      "rows without their document",
      sql(
        "INSERT INTO document_tags (document_key, tag) VALUES (9999, 'ghost')",
        "INSERT INTO blocks SELECT 9999, ordinal, block_id || 'x', kind, heading_path, 1, 1 FROM blocks WHERE document_key = 1",
        "INSERT INTO vector_generations (table_key, model_version, created_at) VALUES (9999, 'ghost', 0)",
      ),
      ["foreign keys"],
    ],
    [
      "bytes that no asset has and a lost revision",
      sql(
        "INSERT INTO blobs (blob_key, byte_length, bytes) VALUES ('_assets/ghost', 1, x'00')",
        "DELETE FROM kv WHERE key = 'corpus_revision'",
      ),
      ["corpus revision", "bytes that no asset has"],
    ],
    [
      "bytes beside the database that a process was killed with before their row was committed",
      ({ folder }) => {
        const shelf = join(folder, ".lodestore/assets/+_assets/+ab/+cd");
        mkdirSync(shelf, { recursive: true });
        writeFileSync(join(shelf, `=abcd${"0".repeat(60)}`), new Uint8Array(2_000_000));
      },
      ["bytes that no asset has"],
    ],
    [
      "records without vectors, vectors without records, and records of nothing",
      sql(
        `DELETE FROM ${VECTORS} WHERE vector_key IN (1, 2)`,
        `DELETE FROM embedding_records WHERE embedding_id = (SELECT embedding_id FROM ${VECTORS} WHERE vector_key = 4)`,
        `UPDATE embedding_records SET chunk_id = '${"0".repeat(32)}'
         WHERE embedding_id = (SELECT embedding_id FROM ${VECTORS} WHERE vector_key = 6)`,
      ),
      ["embedding records", "vectors in step with embedding records"],
    ],
    [
      "vectors that were deleted with the log of it, so that the snapshot still has them",
      sql(`DELETE FROM ${VECTORS} WHERE vector_key < 4`, "DELETE FROM vector_changes"),
      ["vectors in step with embedding records", INDEX],
    ],
    ["a snapshot that was cut", ({ snapshot }) => truncateSync(snapshot, 5000), [INDEX]],
    [
      "a snapshot with a bit flipped",
      ({ snapshot }) => {
        const bytes = readFileSync(snapshot);
        bytes[bytes.length - 100]! ^= 1;
        writeFileSync(snapshot, bytes);
      },
      [INDEX],
    ],
    ["a snapshot of another program", ({ snapshot }) => writeFileSync(snapshot, "no snapshot"), [INDEX]],
  ])("mends %s: found before, not found after, and everything answers as before", async (_, harm, found) => {
    const store = await storeWithSnapshot();
    const { folder, sound } = store;
    harm(store);

    const looked = await lodestore(folder, "doctor", "--json");
    expect(looked.code).toBe(1);
    const before = JSON.parse(looked.stdout) as Examination;
    expect(problemsOf(before)).toEqual(found);

    const planned = await lodestore(folder, "doctor", "--fix", "--dry-run", "--json");
    expect(planned.code).toBe(1);
    const plan = JSON.parse(planned.stdout) as Examination;
    expect(problemsOf(plan)).toEqual(found);
    expect(plan.fix?.steps.map(({ name, outcome }) => [name, outcome])).toEqual(found.map((name) => [name, "planned"]));

    const fixed = await lodestore(folder, "doctor", "--fix");
    expect(fixed).toMatchObject({ code: 0, stdout: expect.stringMatching(/\nRepaired:\n[^]*All is well\.\n$/) });
    for (const name of found) expect(fixed.stdout).toContain(`\n  ${name}: `);

    expect(await lodestore(folder, "doctor")).toMatchObject({ code: 0 });
    await lodestore(folder, "embed", "-q");
    expect(await answers(folder)).toEqual(sound);
  });

  test("sweeps what a crash left half-written, at once", async () => {
    const { folder, file, sound } = await storeWithSnapshot();
    damage(file, (db) => db.exec(`UPDATE embedding_records SET status = 'pending', updated_at = ${Date.now()}`));
    const looked = await lodestore(folder, "doctor");
    expect(looked).toMatchObject({ code: 0, stdout: expect.stringContaining("24 pending, for the next run or sweep") });
    const fixed = await lodestore(folder, "doctor", "--fix");
    expect(fixed.stdout).toMatch(/\nDeleted:\n {2}24 embeddings that a crash left half-written\nAll is well\.\n$/);
    await lodestore(folder, "embed", "-q");
    expect(await answers(folder)).toEqual(sound);
  });

  test("names what it cannot mend, with what to do, exits with 1, and that helps", async () => {
    const { folder, file, sound } = await storeWithSnapshot();
    damage(file, (db) => {
      db.exec(`DELETE FROM blobs WHERE rowid = 1; DELETE FROM blocks WHERE document_key = 2 AND ordinal = 0;
        INSERT INTO blobs (blob_key, byte_length, bytes) VALUES ('_assets/ghost', 1, x'00')`);
    });
    const fixed = await lodestore(folder, "doctor", "--fix");
    expect(fixed.code).toBe(1);
    expect(fixed.stdout).toMatch(
      /\nRepaired:\n {2}bytes that no asset has: .*\nNot repaired:\n {2}whole documents: take these files in again: n0001\.md\n {2}asset bytes: take these files in again: n0000\.md\nSomething is wrong\.\n$/,
    );
    expect((await lodestore(folder, "ingest", "docs")).stdout).toContain("12 files: 0 added, 2 changed, 10 unchanged");
    expect(await lodestore(folder, "doctor", "--fix")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("\nThere was nothing to repair.\nAll is well.\n"),
    });
    expect(await answers(folder)).toEqual(sound);
  });

  test("writes nothing to a file that is damaged, and says what to do", async () => {
    const { folder, file } = await storeWithSnapshot();
    const offset = damage(file, (db) => {
      db.exec("INSERT INTO blobs (blob_key, byte_length, bytes) VALUES ('_assets/ghost', 1, x'00')");
      const { rootpage } =
        db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'idx_documents_asset'").get() ?? {};
      const { page_size: size } = db.prepare("PRAGMA page_size").get() ?? {};
      return (Number(rootpage) - 1) * Number(size);
    });
    const handle = openSync(file, "r+");
    writeSync(handle, new Uint8Array(256).fill(0xa5), 0, 256, offset);
    closeSync(handle);
    const before = createHash("sha256").update(readFileSync(file)).digest("hex");
    const fixed = await lodestore(folder, "doctor", "--fix");
    expect(fixed.code).toBe(1);
    expect(fixed.stdout).toMatch(
      /\nNot repaired:\n {2}file integrity: the file is damaged, and nothing was written to it: put back a backup/,
    );
    expect(fixed.stdout).toContain("\n  bytes that no asset has: ");
    expect(createHash("sha256").update(readFileSync(file)).digest("hex")).toBe(before);
    const json = await lodestoreJson<Examination>(folder, "doctor", "--fix");
    expect(json).toMatchObject({ ok: false, fix: { sweep: null } });
    expect(json.fix?.steps.every(({ outcome }) => outcome === "left")).toBe(true);
  });

  test("has nothing to do in a sound store, and refuses what makes no sense", async () => {
    const { folder } = await storeWithSnapshot();
    const before = await lodestoreJson<Examination>(folder, "doctor");
    const fixed = await lodestoreJson<Examination>(folder, "doctor", "--fix");
    expect(fixed).toMatchObject({ ok: true, fix: { dryRun: false, steps: [] } });
    expect(fixed.findings.map(({ name }) => name)).toEqual(before.findings.map(({ name }) => name));
    expect(fixed.findings.find(({ name }) => name === INDEX)?.detail).toMatch(
      /^ok; 24 vectors, flat with 0 linked, recall@10 1\.00, snapshot verified, at change \d+, 0 behind$/,
    );
    expect(await lodestore(folder, "doctor", "--fix", "docs")).toMatchObject({ code: 2 });
    expect(await lodestore(folder, "doctor", "--dry-run")).toMatchObject({
      code: 2,
      stderr: "lodestore doctor: --dry-run goes with --fix\n",
    });
  });

  test("cannot mend a file that is no database, and exits with 3", async () => {
    const { folder, file } = await storeWithSnapshot();
    writeFileSync(file, "no database at all, but long enough to look at it as if it were one".repeat(20));
    const { code, stderr } = await lodestore(folder, "doctor", "--fix");
    expect([code, stderr]).toEqual([3, expect.stringContaining("[CORRUPT]\nThe store is damaged.")]);
  });

  test("forgets passages whose file changed, and keeps the rest", async () => {
    const { folder } = await storeWithSnapshot();
    writeFiles(folder, { "docs/n0001.md": "# Other\n\nIt says something else.\n" });
    await lodestore(folder, "ingest", "docs", "--embedder", "none");
    const fixed = await lodestoreJson<Examination>(folder, "doctor", "--fix");
    expect(fixed).toMatchObject({ ok: true, fix: { sweep: { tombstones: 2, lost: 0, orphans: 0 } } });
  });
});
