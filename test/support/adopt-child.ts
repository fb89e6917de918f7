import { openStore } from "../../src/node.ts";

/** A process that moves the vectors of a store from engine to engine until it is killed. */
const [dir = ""] = process.argv.slice(2);
const embedder = { kind: "hashing", dimensions: 32 } as const;
for (let n = 0; ; n++) {
  process.stdout.write(`opening ${n}\n`);
  const vectors = n % 2 === 0 ? "lance" : "hnsw";
  await (await openStore({ dir, embedder, vectors, readers: 0, embedOnOpen: false })).close();
}
