import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, test, vi } from "vitest";
import { finishIndexes, useStore } from "../../src/cli/use-store.ts";
import { openStore, StorageError, type VectorTableExamination } from "../../src/node.ts";
import { Terminal } from "../../src/cli/terminal.ts";
import { lodestore, lodestoreJson, makeFolder, manyNotes } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 60_000 });

/** A store of 600 passages, enough for a snapshot, in which no snapshot can be written. */
async function withoutSnapshots(): Promise<string> {
  const folder = makeFolder(manyNotes(300));
  await lodestore(folder, "ingest", "docs", "--embedder", "none");
  mkdirSync(join(folder, ".lodestore/blobs"), { recursive: true });
  symlinkSync("nowhere/at/all", join(folder, ".lodestore/blobs/+_vectors"));
  return folder;
}

function quiet(): Terminal {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  return new Terminal({ stdout: nowhere, stderr: nowhere, env: {}, json: false });
}

describe.skipIf(process.platform === "win32")("a folder of snapshots that cannot be written", () => {
  test("is a warning: what was asked for is done and printed", async () => {
    const folder = await withoutSnapshots();
    const embed = await lodestore(folder, "embed", "-q");
    expect(embed).toMatchObject({ code: 0, stdout: expect.stringContaining("600 passages embedded") });
    expect(embed.stderr).toMatch(/^Warning: the file system failed at "_vectors\/.*" ?.* \[DRIVER\]\n$/);
    const search = await lodestore(folder, "search", "kilns", "--mode", "vector", "-k", "1", "--json");
    expect(search.code).toBe(0);
    expect(JSON.parse(search.stdout)).toMatchObject({ hits: [{ vectorRank: 1 }] });
    // It only reads, and would write none.
    expect(search.stderr).toBe("");
    expect(await lodestoreJson(folder, "doctor")).toMatchObject({ ok: true });
  });

  test("hides no error of the work", async () => {
    const folder = await withoutSnapshots();
    await lodestore(folder, "embed", "-q");
    const work = useStore(
      quiet(),
      () => openStore({ dir: join(folder, ".lodestore"), embedOnOpen: false }),
      async (store) => {
        await store.embeddings.indexes();
        throw new StorageError("CORRUPT", "the work failed", { capability: "store", operation: "test" });
      },
    );
    await expect(work).rejects.toThrow("the work failed");
  });
});

/** Notes that are as many passages each as they have sections, and one more. */
function longNotes(count: number, sections: number): Record<string, string> {
  const section = (note: number, at: number): string =>
    `\n## Glaze ${at}\n\nGlaze number ${at} of note ${note}. ${"It melts. ".repeat(40)}\n`;
  return Object.fromEntries(
    Array.from({ length: count }, (_, note) => [
      `docs/n${note}.md`,
      `# Note ${note}\n\nIt speaks of kilns.\n${Array.from({ length: sections }, (__, at) => section(note, at)).join("")}`,
    ]),
  );
}

describe("the indexes after a command", () => {
  test("hold every vector in their graph", async () => {
    const folder = makeFolder(longNotes(102, 99));
    const { stderr } = await lodestore(folder, "ingest", "docs");
    expect(stderr).not.toContain("Warning");
    const { indexes } = await lodestoreJson<{ indexes: VectorTableExamination[] }>(folder, "stats");
    expect(indexes[0]?.generations[0]?.index).toMatchObject({ engine: "hnsw", linked: 10_200, unlinked: 0 });
  });

  test("are not waited for after Ctrl-C", async () => {
    const folder = makeFolder(manyNotes(1));
    await lodestore(folder, "ingest", "docs");
    await using store = await openStore({ dir: join(folder, ".lodestore"), embedOnOpen: false });
    const controller = new AbortController();
    controller.abort();
    await finishIndexes(store, quiet(), controller.signal);
    await expect(store.embeddings.flush({ signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
    const later = new AbortController();
    const waiting = store.embeddings.flush({ signal: later.signal });
    later.abort();
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
    await store.embeddings.flush();
    await store.close();
    await expect(store.embeddings.flush()).rejects.toMatchObject({ code: "CLOSED" });
  });
});

describe("a store that a program has open for writing", () => {
  test("is read by every command that only reads, and written by none", async () => {
    const folder = makeFolder(manyNotes(3));
    await lodestore(folder, "ingest", "docs");
    await using store = await openStore({ dir: join(folder, ".lodestore"), embedOnOpen: false });
    await store.ingest({ path: "new.md", content: "# New\n\nThe celadon." });
    const commands = [["search", "celadon"], ["list"], ["show", "new.md"], ["stats"], ["doctor"]];
    for (const command of commands) {
      expect(await lodestore(folder, ...command)).toMatchObject({ code: 0, stdout: expect.stringMatching(/\S/) });
    }
    for (const command of [["ingest", "docs"], ["embed"], ["doctor", "--fix"]]) {
      const { code, stderr } = await lodestore(folder, ...command);
      expect([code, stderr]).toEqual([3, expect.stringContaining("[CONFLICT]")]);
    }
    expect(await store.documents.countDocuments()).toBe(4);
  });
});
