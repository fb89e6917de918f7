import { writeSync } from "node:fs";
import type { IngestFile } from "../../src/contracts/store.ts";
import { openFsBlobs } from "../../src/drivers/blobs-fs.ts";
import { type JobsOrder, jobFiles } from "./jobs-order.ts";
import { openEmbeddingStore } from "./open-embedding-store.ts";
import { openSnapshotStore } from "./snapshot-store-case.ts";
import { TestEmbedder } from "./test-embedder.ts";

/** A process that begins the work that it is told, and kills itself in the midst of it. */
const { path, blobs, work, at } = JSON.parse(process.argv[2] ?? "") as JobsOrder;

function die(): never {
  writeSync(1, `killed in ${work}\n`);
  process.kill(process.pid, "SIGKILL");
  throw new Error("unreachable");
}

/** Dies when it has handed out so many. */
async function* deadly(files: readonly IngestFile[]): AsyncGenerator<IngestFile> {
  yield* files.slice(0, at);
  die();
}

const snapshots = await openFsBlobs({ dir: blobs });
const embedder = new TestEmbedder("1", 8);
const { store } = await openEmbeddingStore({ path, vectors: (db) => openSnapshotStore(db, snapshots), embedder });
await store.jobs.create("transcribe", { path: "talk.wav" });
if (work === "ingest") {
  await store.ingest(deadly(jobFiles()), { embed: "off", origin: { folder: "docs" } });
} else {
  await store.ingest(jobFiles(), { embed: work === "embed" ? "off" : "wait" });
  embedder.calls = 0;
  embedder.before = () => (embedder.calls > at ? die() : undefined);
  if (work === "embed") await store.embeddings.run();
  let seen = 0;
  await store.embeddings.reindex({ onProgress: () => (++seen > at ? die() : undefined) });
}
