import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { deleteOpfsStore, openSqlOpfs, type SqlOpfsSettings } from "../../src/drivers/sql-opfs.ts";

/** What one round with one set of settings took. */
export interface SqlRound {
  bulkInsertMs: number;
  fullTextInsertMs: number;
  appendMs: number[];
  readMs: number[];
  searchMs: number[];
  journalMode: string;
}

const ROWS = 20_000;
const ROW_TEXT = 300;
const DOCUMENTS = 5_000;
const APPENDS = 200;
/** Reads are timed in groups: one is shorter than the clock's step. */
const READ_GROUPS = 200;
const READS_PER_GROUP = 25;
const SEARCHES = 200;

const WORDS =
  "lode store ore vein shaft seam drift adit mine cart lamp rail rope pick rock dust salt iron lead zinc".split(" ");

let seed = 1;
function random(below: number): number {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % below;
}

function text(length: number): string {
  let words = "";
  while (words.length < length) words += `${WORDS[random(WORDS.length)] ?? ""}${random(500)} `;
  return words.slice(0, length);
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

async function measure(db: SqlDatabase): Promise<SqlRound> {
  await db.exec(`CREATE TABLE r (id INTEGER PRIMARY KEY, key TEXT UNIQUE, value TEXT);
    CREATE TABLE log (id INTEGER PRIMARY KEY, key TEXT UNIQUE, value TEXT);
    CREATE VIRTUAL TABLE f USING fts5 (body);`);
  const rows = Array.from({ length: ROWS }, (_, i) => [`key-${(i * 7919) % ROWS}`, text(ROW_TEXT)]);
  const bulkInsertMs = await timed(() => db.runMany("INSERT INTO r (key, value) VALUES ($1, $2)", rows));
  const documents = Array.from({ length: DOCUMENTS }, () => [text(600)]);
  const fullTextInsertMs = await timed(() => db.runMany("INSERT INTO f (body) VALUES ($1)", documents));
  const appendMs: number[] = [];
  for (let i = 0; i < APPENDS; i++) {
    const row = [`key-${random(1_000_000_000)}`, text(ROW_TEXT)];
    appendMs.push(await timed(() => db.run("INSERT INTO log (key, value) VALUES ($1, $2)", row)));
  }
  const readMs: number[] = [];
  for (let group = 0; group < READ_GROUPS; group++) {
    const keys = Array.from({ length: READS_PER_GROUP }, () => [`key-${random(ROWS)}`]);
    const ms = await timed(async () => {
      for (const key of keys) await db.get("SELECT id, value FROM r WHERE key = $1", key);
    });
    readMs.push(ms / READS_PER_GROUP);
  }
  const searchMs: number[] = [];
  const search = "SELECT rowid, bm25(f) AS score FROM f WHERE f MATCH $1 ORDER BY score LIMIT 20";
  for (let i = 0; i < SEARCHES; i++) {
    const query = `${WORDS[random(WORDS.length)] ?? ""}${random(500)} OR ${WORDS[random(WORDS.length)] ?? ""}${random(500)}`;
    searchMs.push(await timed(() => db.all(search, [query])));
  }
  const { settings } = await db.capabilities();
  return { bulkInsertMs, fullTextInsertMs, appendMs, readMs, searchMs, journalMode: String(settings["journal_mode"]) };
}

async function round(settings: SqlOpfsSettings): Promise<SqlRound> {
  const name = "bench-sql";
  await deleteOpfsStore(name);
  seed = 1;
  const db = await openSqlOpfs({ name, functions: {}, settings });
  try {
    return await measure(db);
  } finally {
    await db.close();
    await deleteOpfsStore(name);
  }
}

globalThis.addEventListener("message", (event: MessageEvent<SqlOpfsSettings>) => {
  round(event.data).then(
    (result) => globalThis.postMessage({ result }),
    (error: unknown) => globalThis.postMessage({ error: String(error) }),
  );
});
