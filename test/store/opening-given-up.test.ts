import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { SqlValue } from "../../src/contracts/sql.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import { openTestStore } from "../support/open-test-store.ts";

const REASON = new Error("enough");

/** A file of a store with more chunks than one step of the text index takes. */
async function filled(): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "lodestore-opening-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const path = join(dir, "lodestore.db");
  const { store } = await openTestStore(path);
  await store.ingest(Array.from({ length: 1200 }, (_, n) => ({ path: `${n}.md`, content: `# Kiln ${n}` })));
  await store.close();
  return path;
}

test("a text index that is rebuilt is given up between two steps, and rebuilt by the next opening", async () => {
  const path = await filled();
  const stop = new AbortController();
  let texts = 0;
  let released = 0;
  const functions = {
    ...storeFunctions,
    lodestore_forms: (...args: SqlValue[]) => {
      if (++texts === 700) stop.abort(REASON);
      return storeFunctions["lodestore_forms"]?.(...args) ?? null;
    },
  };
  const damaged = await openSqlNode({ path, functions: storeFunctions });
  await damaged.run("UPDATE kv SET value = 'older' WHERE key = 'terms_version'");
  await damaged.close();
  const db = await openSqlNode({ path, functions });
  const opening = createStore({
    db,
    blobs: new SqlBlobStore(db),
    lock: { release: () => void released++ },
    signal: stop.signal,
  });
  await expect(opening).rejects.toMatchObject({ code: "ABORTED", operation: "open", cause: REASON });
  expect(texts).toBe(1000);
  expect(released).toBe(1);

  const { store } = await openTestStore(path);
  expect((await store.openReport()).rebuilt).toEqual([expect.stringContaining("terms version older")]);
  expect((await store.search({ text: "1199" })).hits).toHaveLength(1);
  expect(await store.check()).toMatchObject({ ok: true });
  await store.close();
});

test("migrations are given up between two of them, and the file stays as it was", async () => {
  const dir = mkdtempSync(join(tmpdir(), "lodestore-opening-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const path = join(dir, "lodestore.db");
  const db = await openSqlNode({ path, functions: storeFunctions });
  const opening = createStore({ db, blobs: new SqlBlobStore(db), signal: AbortSignal.abort(REASON) });
  await expect(opening).rejects.toMatchObject({ code: "ABORTED", cause: REASON });
  const again = await openSqlNode({ path, functions: storeFunctions });
  expect(await again.all("SELECT name FROM sqlite_schema")).toEqual([]);
  await again.close();
});
