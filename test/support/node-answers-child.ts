import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHashingEmbedder, openStore, type OpenNodeStoreOptions, type SearchHit } from "../../src/node.ts";
import { sharedFiles, sharedQuestions } from "./shared-corpus.ts";

/** Takes the shared corpus into a store on Node and prints its answers to the shared questions.
 *  `node node-answers-child.ts '<vectors option of openStore as JSON>'` */
const vectors = JSON.parse(process.argv[2] ?? "{}") as NonNullable<OpenNodeStoreOptions["vectors"]>;
const dir = await mkdtemp(join(tmpdir(), "lodestore-answers-"));
try {
  const answers: SearchHit[][] = [];
  {
    await using store = await openStore({ dir, embedder: createHashingEmbedder(), vectors });
    await store.ingest(sharedFiles(), { embed: "wait" });
    await store.embeddings.flush();
    for (const question of sharedQuestions()) answers.push((await store.search(question)).hits);
  }
  process.stdout.write(JSON.stringify(answers));
} finally {
  await rm(dir, { recursive: true, force: true });
}
