import { expect, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { sampleDocument } from "../support/sample-document.ts";
import { openTestStore } from "../support/open-test-store.ts";

const CHUNKS = 2500;

async function index(db: SqlDatabase): Promise<unknown> {
  return db.all("SELECT rowid FROM chunks_fts WHERE chunks_fts MATCH 'kiln' ORDER BY rowid");
}

test("a text index that is made anew tells how far it is, and stays as it was where that is ended", async () => {
  const { store, db } = await openTestStore();
  const text = Array.from({ length: CHUNKS }, (_, n) => `kiln ${n}`).join("\n\n");
  await store.documents.putWhole(sampleDocument("a.md", text));
  await db.run("DELETE FROM chunks_fts WHERE rowid = 3");
  const damaged = await index(db);
  const controller = new AbortController();
  const ended = store.documents.rebuildChunksFts({ signal: controller.signal, onProgress: () => controller.abort() });
  await expect(ended).rejects.toMatchObject({ code: "ABORTED", operation: "rebuildChunksFts" });
  expect(await index(db)).toEqual(damaged);
  const seen: object[] = [];
  await store.documents.rebuildChunksFts({ onProgress: (progress) => seen.push(progress) });
  expect(seen).toEqual([500, 1000, 1500, 2000, CHUNKS].map((done) => ({ done, total: CHUNKS })));
  expect(await index(db)).toHaveLength(CHUNKS);
  expect(await store.check()).toMatchObject({ ok: true });
  for (const options of [{ signal: 5 }, { onProgress: true }, { force: true }]) {
    await expect(store.documents.rebuildChunksFts(options as never)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  }
  await store.close();
});
