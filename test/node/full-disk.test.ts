import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { openStore, type Store } from "../../src/node.ts";
import { bulkNotes } from "../support/bulk-notes.ts";
import { storeFolder } from "../support/open-node-store.ts";

const NOTES = bulkNotes(60, 3000);

test("on a disk that is full an ingest says so and keeps whole documents, and goes on when there is room", async ({
  skip,
}) => {
  const dir = storeFolder();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", dir], { stdio: "ignore" });
  } catch {
    return skip("only the superuser may mount a small file system");
  }
  let store: Store | undefined;
  try {
    store = await openStore({ dir, embedOnOpen: false, vectors: "hnsw", readers: 1 });
    const empty = await store.storage.estimate();
    expect(empty).toMatchObject({ quotaBytes: 6 * 2 ** 20, persisted: true });
    expect(empty.storeBytes).toBeGreaterThan(10_000);
    expect(empty.usageBytes! + empty.availableBytes!).toBe(empty.quotaBytes);
    expect(await store.storage.persist()).toEqual({ granted: true, reason: null });
    // Their sizes are known, and half of that is more than there is.
    const large = [1, 2].map((n) => ({
      path: `${n}.md`,
      sizeBytes: 12 * 2 ** 20,
      content: async () => new Uint8Array(1),
    }));
    await expect(store.ingest(large)).rejects.toMatchObject({
      code: "QUOTA_EXCEEDED",
      message: expect.stringMatching(/needs at least \d+ bytes, and \d+ of 6291456 are available/u) as string,
    });
    expect(await store.documents.countDocuments()).toBe(0);
    // Its size is not: that the disk is full shows while it is written.
    const stream = (async function* () {
      yield* NOTES;
    })();
    await expect(store.ingest(stream)).rejects.toMatchObject({
      code: "QUOTA_EXCEEDED",
      message: expect.stringMatching(/more than there is \(\d+ of 6291456 bytes are said to be available\)/u) as string,
    });
    const paths = await store.documents.allWorkspacePaths();
    expect(paths.length).toBeLessThan(NOTES.length);
    for (const path of paths) {
      const asset = await store.documents.getAssetByWorkspacePath(path);
      expect(asset?.byteLength).toBe(NOTES.find((note) => note.path === path)?.content.length);
    }
    expect(await store.check()).toMatchObject({ ok: true });
    execFileSync("mount", ["-o", "remount,size=64m", dir]);
    expect(await store.ingest(NOTES)).toMatchObject({ added: NOTES.length - paths.length });
    expect(await store.check()).toMatchObject({ ok: true });
  } finally {
    await store?.close();
    execFileSync("umount", ["-l", dir]);
  }
});
