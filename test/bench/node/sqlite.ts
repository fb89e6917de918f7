import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SqlValue } from "../../../src/contracts/sql.ts";
import { openStore } from "../../../src/node.ts";
import { storeFunctions } from "../../../src/store/schema-functions.ts";
import { openTestStore } from "../../support/open-test-store.ts";
import { datasetName, type DocFile, readAstroDocs } from "../astro-docs.ts";
import { type BenchContext, median, quantile } from "../report.ts";
import { type BareLibrary, type BareSqlite, type BareStatement, bareLibrary } from "./bare-sqlite.ts";
import { type Ran, recorded } from "./recorded.ts";

const ROUNDS = 3;
const QUERIES = 200;
const HITS = 10;

/** The SQL of an ingest, and searches by words, beside a bare program: one that runs the very statements of the ingest, and one that has
 *  FTS5 rank and reads the same rows. */
export async function run(context: BenchContext): Promise<void> {
  const files = await readAstroDocs(context, "node");
  if (files === undefined) return;
  const library = bareLibrary(context);
  const dir = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
  try {
    await compareIngest(context, library, dir, files);
    await compareSearch(context, library, dir, files);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function sourceOf(files: readonly DocFile[]): { path: string; content: string }[] {
  return files.map((file) => ({ path: file.path, content: file.text }));
}

async function compareIngest(
  context: BenchContext,
  library: BareLibrary,
  dir: string,
  files: readonly DocFile[],
): Promise<void> {
  context.progress("suite node: recording the statements of an ingest");
  const { store } = await openTestStore(join(dir, "recorded.db"));
  const statements = await recorded(() => store.ingest(sourceOf(files)));
  await store.close();
  const bare: number[] = [];
  const ours: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    context.progress(`suite node: ingest beside a bare program, round ${round + 1} of ${ROUNDS}`);
    bare.push(await replay(library, join(dir, `bare-${round}.db`), statements));
    await using threaded = await openStore({ dir: join(dir, `store-${round}`), readers: 1 });
    ours.push((await threaded.ingest(sourceOf(files))).timings.sqlMs);
  }
  context.report({
    suite: "node",
    case: `SQL of an ingest, beside ${library.name}`,
    dataset: datasetName(files),
    metric: `${statements.length} statements`,
    value: median(ours),
    unit: "ms",
    baseline: median(bare),
    ratio: median(ours) / median(bare),
  });
}

/** Runs the statements on a database with the same schema. @returns milliseconds */
async function replay(library: BareLibrary, path: string, statements: readonly Ran[]): Promise<number> {
  await (await openTestStore(path)).store.close();
  const db = openBare(library, path);
  try {
    const prepared = new Map<string, BareStatement>();
    const start = performance.now();
    for (const { sql, values } of statements) {
      let statement = prepared.get(sql);
      if (statement === undefined) prepared.set(sql, (statement = db.prepare(sql)));
      statement(...values);
    }
    return performance.now() - start;
  } finally {
    db.close();
  }
}

function openBare(library: BareLibrary, path: string): BareSqlite {
  const db = library.open(path);
  db.exec(
    "PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384; PRAGMA synchronous = FULL; PRAGMA trusted_schema = ON",
  );
  for (const [name, body] of Object.entries(storeFunctions)) {
    db.function(name, (...args) => body(...(args as SqlValue[])));
  }
  return db;
}

const RANKED = `
  SELECT c.chunk_id, c.text, c.heading_path, c.line_start, c.line_end, d.title, d.workspace_path, found.score FROM (
    SELECT rowid AS key, bm25(chunks_fts, 2.0, 1.0, 1.0) AS score FROM chunks_fts WHERE chunks_fts MATCH ?1
    AND (?2 IS NULL OR +rowid IN (SELECT rowid FROM chunks_fts WHERE chunks_fts MATCH coalesce(?2, ?1)))
    ORDER BY score LIMIT ${HITS}
  ) found JOIN chunks c ON c.chunk_key = found.key JOIN documents d ON d.document_key = c.document_key ORDER BY found.score`;

async function compareSearch(
  context: BenchContext,
  library: BareLibrary,
  dir: string,
  files: readonly DocFile[],
): Promise<void> {
  context.progress("suite node: search beside a bare program");
  const at = { dir: join(dir, "store-0"), readOnly: true, readers: 1 };
  const queries = titles(files);
  const expressions: { ranking: string; must: string | null }[] = [];
  {
    await using store = await openStore(at);
    for (const text of queries) {
      const { explain } = await store.search({ text, k: HITS, explain: true });
      expressions.push(explain?.tiers[0] ?? { ranking: '""', must: null });
    }
  }
  await using store = await openStore(at);
  const first = await times(queries, (text) => store.search({ text, k: HITS, fresh: true }));
  const again = await times(queries, (text) => store.search({ text, k: HITS, fresh: true }));
  const crossing = await times(queries, () => store.documents.corpusRevision());
  const db = openBare(library, join(at.dir, "lodestore.db"));
  const rank = db.prepare(RANKED);
  const bare = await times(expressions, async ({ ranking, must }) => rank(ranking, must));
  db.close();
  const figure = {
    suite: "node",
    case: `search of titles, beside ${library.name} with FTS5`,
    dataset: datasetName(files),
  };
  for (const [what, ours] of [
    ["words asked for the first time", first],
    ["again", again],
  ] as const) {
    for (const q of [0.5, 0.99]) {
      const [value, baseline] = [quantile(ours, q), quantile(bare, q)];
      context.report({
        ...figure,
        metric: `${what}, p${q * 100}`,
        value,
        unit: "ms",
        baseline,
        ratio: value / baseline,
      });
    }
  }
  context.report({ ...figure, metric: "a call to the thread and back, p50", value: median(crossing), unit: "ms" });
}

async function times<T>(inputs: readonly T[], work: (input: T) => Promise<unknown>): Promise<number[]> {
  const taken: number[] = [];
  for (const input of inputs) {
    const start = performance.now();
    await work(input);
    taken.push(performance.now() - start);
  }
  return taken;
}

/** First headings, spread over all files. */
function titles(files: readonly DocFile[]): string[] {
  const found = files.flatMap(
    ({ text }) =>
      /^title: *(.+)$/mu
        .exec(text)?.[1]
        ?.replaceAll(/["'*-]/gu, " ")
        .trim() ?? [],
  );
  const step = Math.max(1, Math.floor(found.length / QUERIES));
  return found.filter((title, n) => n % step === 0 && title !== "").slice(0, QUERIES);
}
