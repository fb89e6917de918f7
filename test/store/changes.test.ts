import { expect, onTestFinished, test } from "vitest";
import type { Change } from "../../src/contracts/changes.ts";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { ChangeFeed } from "../../src/store/changes/change-feed.ts";
import { take, takeAll } from "../conformance/change-feed/take.ts";
import { archiveOf, inPieces } from "../support/archives.ts";
import { openEmbeddingStore } from "../support/open-embedding-store.ts";
import { openTestStore } from "../support/open-test-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { flatVectors } from "../support/vector-stores.ts";

/** Writes so many changes of different jobs, without the jobs. */
async function fillLog(db: SqlDatabase, count: number): Promise<void> {
  await db.run(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
     INSERT INTO changes (topic, kind, subject_id) SELECT 'jobs', 'inserted', 'job ' || i FROM n`,
    [count],
  );
}

test("the log keeps its newest 10,000 changes, and whoever comes from before hears reset once and goes on", async () => {
  const { store, db } = await openTestStore();
  const late = store.subscribe({ since: 0 });
  await fillLog(db, 10_999);
  expect(await take(late, 1)).toMatchObject([{ kind: "inserted", sequence: 1 }]);
  expect(await db.get("SELECT min(sequence) AS first, count(*) AS n FROM changes")).toEqual({ first: 1, n: 10_999 });
  await fillLog(db, 1);
  expect(await db.get("SELECT min(sequence) AS first, count(*) AS n FROM changes")).toEqual({ first: 1001, n: 10_000 });
  expect(await take(store.subscribe({ since: 1000 }), 1)).toMatchObject([{ sequence: 1001, id: "job 1001" }]);
  expect(await take(store.subscribe({ since: 999 }), 1)).toMatchObject([{ kind: "reset", sequence: 11_000 }]);
  // What it read before the cut is handed out before.
  const seen: Change[] = [];
  while (seen.at(-1)?.kind !== "reset") seen.push(...(await take(late, 1)));
  expect(seen.slice(0, -1).map(({ sequence }) => sequence)).toEqual(Array.from({ length: 255 }, (_, n) => n + 2));
  await store.chat.createSession();
  expect(await take(late, 1)).toMatchObject([{ topic: "chat", sequence: 11_001 }]);
  await store.close();
});

test("a batch of embeddings is one change, and so is the progress of a job", async () => {
  await using opened = await openEmbeddingStore({ vectors: flatVectors, embedder: new TestEmbedder() });
  const { store, db } = opened;
  await store.ingest(
    Array.from({ length: 20 }, (_, n) => ({ path: `${n}.md`, content: `# Note ${n}` })),
    { embed: "off" },
  );
  const since = await store.changeSequence();
  await store.embeddings.run();
  const changes = (await takeAll(store, since)).filter(({ topic }) => topic !== "jobs");
  expect(new Set(changes.map(({ topic, id }) => `${topic} ${id}`))).toEqual(new Set(["embeddings test"]));
  // The model's row comes, the batch, the swap.
  expect(changes.length).toBeLessThan(6);
  const job = await store.changeSequence();
  await db.run(
    `INSERT INTO jobs (job_id, kind, status, payload, created_at, updated_at) VALUES ('j', 'k', 'running', '{}', 1, 1)`,
  );
  for (let n = 0; n < 50; n++) await db.run("UPDATE jobs SET progress = $1 WHERE job_id = 'j'", [String(n)]);
  await db.run("DELETE FROM jobs WHERE job_id = 'j'");
  expect(await takeAll(store, job)).toMatchObject([
    { topic: "jobs", kind: "inserted", id: "j" },
    { topic: "jobs", kind: "updated", id: "j", sequence: job + 51 },
    { topic: "jobs", kind: "deleted", id: "j" },
  ]);
});

test("answers and evaluations are told of, too", async () => {
  const { store, db } = await openTestStore();
  await db.run(
    `INSERT INTO answers (answer_id, query, mode, answer, citations, corpus_revision, created_at)
     VALUES ('a', 'q', 'lexical', 'yes', '[]', 0, 1)`,
  );
  await db.run(
    `INSERT INTO eval_runs (eval_run_id, suite, config, corpus_revision, started_at) VALUES ('e', 's', '{}', 0, 1)`,
  );
  await db.run("UPDATE eval_runs SET metrics = '{}' WHERE eval_run_id = 'e'");
  await db.run("DELETE FROM answers");
  expect((await takeAll(store)).map(({ topic, kind, id }) => `${topic} ${kind} ${id}`)).toEqual([
    "answers inserted a",
    "evaluations inserted e",
    "evaluations updated e",
    "answers deleted a",
  ]);
  await store.close();
});

test("an import tells of all that it brings, of the revision that it makes at most, and brings no log of its own", async () => {
  const { store: from } = await openTestStore();
  await from.ingest([
    { path: "a.md", content: "# A" },
    { path: "b.md", content: "# B" },
  ]);
  const { id } = await from.chat.createSession();
  await from.chat.appendTurn(id, { role: "user", text: "hello" });
  const archive = await archiveOf(from);
  await from.close();
  const { store } = await openTestStore();
  await store.import(inPieces(archive));
  const changes = await takeAll(store);
  expect(changes.map(({ topic, kind }) => `${topic} ${kind}`).sort()).toEqual([
    "chat inserted",
    "chat inserted",
    "documents inserted",
    "documents inserted",
    "jobs inserted",
  ]);
  const revision = await store.documents.corpusRevision();
  expect(changes.every(({ corpusRevision }) => (corpusRevision ?? 0) <= revision)).toBe(true);
  await store.close();
});

test("nothing is told of a transaction before it commits, nor of one that is rolled back", async () => {
  const { store, db } = await openTestStore();
  const changes = store.subscribe();
  const next = changes.next();
  let told = false;
  void next.then(() => (told = true));
  const insert =
    "INSERT INTO jobs (job_id, kind, status, payload, created_at, updated_at) VALUES ($1, 'k', 's', '{}', 1, 1)";
  await expect(
    db.transaction(async (tx) => {
      await tx.run(insert, ["undone"]);
      throw new Error("no");
    }),
  ).rejects.toThrow("no");
  await db.transaction(async (tx) => {
    await tx.run(insert, ["kept"]);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(told).toBe(false);
  });
  expect(await next).toMatchObject({ value: { id: "kept" } });
  await store.close();
});

test("subscribers who stand at the same place share one reading, and nothing is left of those who went", async () => {
  const { store, db } = await openTestStore();
  let readings = 0;
  const counting = Object.create(db) as SqlDatabase;
  counting.all = (sql, ...rest) => {
    if (sql.includes("FROM changes")) readings++;
    return db.all(sql, ...rest);
  };
  counting.get = (...args) => db.get(...args);
  counting.onCommit = (listener) => db.onCommit!(listener);
  const feed = new ChangeFeed(counting, true);
  onTestFinished(() => feed.close());
  const subscribers = Array.from({ length: 50 }, () => feed.subscribe({}));
  const waiting = subscribers.map((changes) => changes.next());
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(readings).toBe(1);
  const { id } = await store.chat.createSession();
  expect((await Promise.all(waiting)).map(({ value }) => (value as Change).id)).toEqual(Array(50).fill(id));
  expect(readings).toBe(2);
  expect(feed.size).toBe(50);
  for (const changes of subscribers) await changes.return?.();
  expect(feed.size).toBe(0);
  await store.close();
});
