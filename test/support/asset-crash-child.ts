import { join } from "node:path";
import { openFsBlobs } from "../../src/drivers/blobs-fs.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { assetContentHash, assetId, documentId } from "../../src/store/ids.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import { haltingBlobs } from "./halting-blobs.ts";
import { hookedDatabase } from "./hooked-store.ts";
import { sampleDocument } from "./sample-document.ts";

/** A process that puts, replaces and drops large bytes, and kills itself at one of its steps. */
const { dir, killAt } = JSON.parse(process.argv[2] ?? "") as { dir: string; killAt: number };
let steps = 0;
const step = async (): Promise<void> => {
  if (++steps === killAt) process.kill(process.pid, "SIGKILL");
};
const text = (word: string): string => `${word} `.repeat(1_048_600 / (word.length + 1) + 1);

const sql = await openSqlNode({ path: join(dir, "lodestore.db"), functions: storeFunctions });
const db = hookedDatabase(sql, step);
const assets = haltingBlobs(await openFsBlobs({ dir: join(dir, "assets"), alone: true }), step);
const store = await createStore({ db, blobs: new SqlBlobStore(db), assets, embedOnOpen: false });

/** Puts a document without parts: parsing large texts would take longer than all else here. */
async function put(path: string, word: string): Promise<void> {
  const bytes = new TextEncoder().encode(text(word));
  const asset = assetId(assetContentHash(bytes));
  const { document } = sampleDocument(path, "One.");
  const id = documentId({ assetId: asset, parserVersion: document.parserVersion, workspacePath: path });
  await store.documents.putWhole({ bytes, document: { ...document, id, assetId: asset }, blocks: [], chunks: [] });
}

steps = 0;
await store.documents.putAssetWithBytes({ bytes: new Blob([text("stream")]), mediaType: "text/plain" });
await put("a.md", "kept");
await put("b.md", "kept");
const { failures } = await store.ingest({ path: "a.md", content: text("replaced") }, { embed: "off" });
if (failures[0] !== undefined) throw new Error(failures[0].reason);
await store.documents.purgeOrphanAtWorkspacePath("b.md");
await put("b.md", "kept");
await store.documents.sweepBlobs();
await store.close();
