import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openFsBlobs } from "../../src/drivers/blobs-fs.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import { storeFolder } from "../support/open-node-store.ts";
import { programFile } from "../support/programs.ts";

/** Every so many steps one is tried: a process for each takes its time. */
const STRIDE = 5;

/** Lets a process do its work until it kills itself at this step. @returns whether it came to its end. */
async function runChild(dir: string, killAt: number): Promise<boolean> {
  const child = spawn(
    process.execPath,
    [programFile("test/support/asset-crash-child.ts"), JSON.stringify({ dir, killAt })],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (code === 0) return true;
  expect({ signal, stderr }).toMatchObject({ signal: "SIGKILL" });
  return false;
}

test("a process that is killed between two steps leaves no row without its bytes, and a sweep finds the rest", async () => {
  let ended = false;
  let strays = 0;
  let killAt = 1;
  for (; !ended; killAt += STRIDE) {
    const dir = storeFolder();
    ended = await runChild(dir, killAt);
    const db = await openSqlNode({ path: join(dir, "lodestore.db"), functions: storeFunctions });
    const assets = await openFsBlobs({ dir: join(dir, "assets"), alone: true });
    expect(readdirSync(join(dir, "assets")).filter((name) => name.startsWith(".put-"))).toEqual([]);
    const store = await createStore({ db, blobs: new SqlBlobStore(db), assets, embedOnOpen: false });
    const found = (await store.check({ deep: true })).findings.filter(({ ok }) => !ok);
    expect(found.filter(({ name }) => name !== "bytes that no asset has")).toEqual([]);
    const { deleted } = await store.documents.sweepBlobs();
    expect(deleted > 0).toBe(found.length > 0);
    strays += deleted;
    expect(await store.check({ deep: true })).toMatchObject({ ok: true });
    const rows = await db.all<{ blob_key: string }>("SELECT blob_key FROM assets WHERE blob_store IS NOT NULL");
    expect(await assets.list("")).toEqual(rows.map((row) => row.blob_key).sort());
    await store.close();
  }
  expect(killAt).toBeGreaterThan(30);
  expect(strays).toBeGreaterThan(0);
}, 240_000);
