import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { Store } from "../../src/contracts/store.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { createHashingEmbedder } from "../../src/drivers/embed-hashing.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { FlatVectorStore } from "../../src/drivers/vectors-flat.ts";
import { AllowedChunks } from "../../src/store/allowed-chunks.ts";
import { indexId } from "../../src/store/ids.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import { datasetName, type DocFile, readAstroDocs } from "./astro-docs.ts";
import { type BenchContext, median, quantile } from "./report.ts";

const ROUNDS = 3;
const TURNS = 1000;

interface Times {
  appendMs: number[];
  ingestMs: number[];
  embedMs: number[];
  /** From the commit of a write to the subscriber. */
  hearMs: number[];
}

/** What the log of changes costs those who write: the same writes with its triggers and without them, in turns. */
export async function run(context: BenchContext): Promise<void> {
  const files = (await readAstroDocs(context, "changes"))?.filter(({ path }) => path.startsWith("en/"));
  if (files === undefined) return;
  const [bare, logged] = [newTimes(), newTimes()];
  for (let round = 0; round < ROUNDS; round++) {
    context.progress(`suite changes: round ${round + 1} of ${ROUNDS}`);
    await measure(files, bare, false);
    await measure(files, logged, true);
  }
  const dataset = `${datasetName(files)}, English; ${TURNS} turns`;
  const compare = (metric: string, of: (times: Times) => number): void => {
    const [value, baseline] = [of(logged), of(bare)];
    context.report({
      suite: "changes",
      case: "node, with triggers",
      dataset,
      metric,
      value,
      unit: "ms",
      baseline,
      ratio: value / baseline,
    });
  };
  compare("durable append p50", ({ appendMs }) => median(appendMs));
  compare("durable append p99", ({ appendMs }) => quantile(appendMs, 0.99));
  compare("ingest", ({ ingestMs }) => median(ingestMs));
  compare("embed", ({ embedMs }) => median(embedMs));
  const heard = { suite: "changes", case: "node, in the thread", dataset, unit: "ms" };
  context.report({ ...heard, metric: "write to subscriber p50", value: median(logged.hearMs) });
  context.report({ ...heard, metric: "write to subscriber p99", value: quantile(logged.hearMs, 0.99) });
}

function newTimes(): Times {
  return { appendMs: [], ingestMs: [], embedMs: [], hearMs: [] };
}

async function measure(files: readonly DocFile[], times: Times, withTriggers: boolean): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
  const { db, store } = await open(join(dir, "lodestore.db"));
  try {
    if (!withTriggers) await dropTriggers(db);
    const documents = files.map(({ path, text }) => ({ path, content: text }));
    times.ingestMs.push(await timed(() => store.ingest(documents, { embed: "off" })));
    times.embedMs.push(await timed(() => store.embeddings.run()));
    const { id } = await store.chat.createSession();
    const append = (n: number): Promise<unknown> =>
      store.chat.appendTurn(id, { role: "user", text: `turn ${n} of many` });
    for (let n = 0; n < TURNS; n++) times.appendMs.push(await timed(() => append(n)));
    if (!withTriggers) return;
    const changes = store.subscribe({ topics: ["chat"] });
    for (let n = 0; n < TURNS; n++) {
      const heard = changes.next();
      await append(n);
      times.hearMs.push(await timed(() => heard));
    }
    await changes.return?.();
  } finally {
    await store.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function open(path: string): Promise<{ db: SqlDatabase; store: Store }> {
  const db = await openSqlNode({ path, functions: storeFunctions });
  const kernel = await WebAssembly.compile(readFileSync(new URL("../../wasm/hnsw.wasm", import.meta.url)));
  const vectors = new FlatVectorStore(db, { kernel, allowedChunks: new AllowedChunks(db).matching, indexId });
  const embedder = createHashingEmbedder();
  const store = await createStore({ db, blobs: new SqlBlobStore(db), vectors, embedder, embedOnOpen: false });
  return { db, store };
}

async function dropTriggers(db: SqlDatabase): Promise<void> {
  const triggers = await db.all<{ name: string }>(
    "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE '%changes\\_%' ESCAPE '\\'",
  );
  for (const { name } of triggers) await db.run(`DROP TRIGGER "${name}"`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
