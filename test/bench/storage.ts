import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHashingEmbedder } from "../../src/drivers/embed-hashing.ts";
import { datasetName, type DocFile, readAstroDocs } from "./astro-docs.ts";
import { type BenchContext, type Figure, median } from "./report.ts";
import { ExactNearest, type ExactVectors } from "./storage/exact-nearest.ts";
import { fileParts, stemsCopied, vacuumedBytes } from "./storage/file-parts.ts";
import { type MeasuredStore, openMeasured, type StorageKind } from "./storage/measured-store.ts";

/** The plain store has the pages that SQLite gives a file which says nothing. */
const PLAIN: StorageKind = { name: "plain", plain: true, pageBytes: 4096 };
const OURS: StorageKind = { name: "ours", plain: false, pageBytes: 16_384 };

const QUERIES = 40;
const WARM_UP = 10;
const WARM_UP_FILES = 100;

/** How much room a documentation takes with its vectors, against a plain store that is filled in the same way. */
export async function run(context: BenchContext): Promise<void> {
  const files = await readAstroDocs(context, "storage");
  if (files === undefined) return;
  const folder = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
  const questions = headings(files);
  try {
    await fill(
      context,
      files.slice(0, WARM_UP_FILES),
      { ...OURS, name: "warming up" },
      join(folder, "first.db"),
      questions,
    );
    const plain = await fill(context, files, PLAIN, join(folder, "plain.db"), questions);
    const ours = await fill(context, files, OURS, join(folder, "ours.db"), questions);
    reportSizes(context, files, plain, ours);
    const figure = { suite: "storage", dataset: datasetName(files) };
    const vacuumed = vacuumedBytes(join(folder, "plain.db"), OURS.pageBytes) / 1e6;
    compare(
      context,
      { ...figure, case: OURS.name, metric: "against plain, vacuumed, our pages" },
      "MB",
      whole(ours),
      vacuumed,
    );
    const unstemmed = whole(plain) - stemsCopied(join(folder, "plain.db")) / 1e6;
    compare(
      context,
      { ...figure, case: OURS.name, metric: "against plain, stems not copied" },
      "MB",
      whole(ours),
      unstemmed,
    );
    for (const { kind, took } of [plain, ours]) {
      for (const [metric, value] of Object.entries(took)) {
        compare(
          context,
          { ...figure, case: kind.name, metric },
          metric.endsWith("p50") ? "ms" : "s",
          value,
          kind === PLAIN ? undefined : plain.took[metric],
        );
      }
    }
    await reportRecall(context, figure, plain.exact, questions, [plain, ours]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A store that was filled, asked and closed. */
interface Filled {
  kind: StorageKind;
  parts: Map<string, number>;
  took: Record<string, number>;
  /** The chunks that each question found, by vectors. */
  found: string[][];
  exact: ExactVectors;
}

async function fill(
  context: BenchContext,
  files: readonly DocFile[],
  kind: StorageKind,
  path: string,
  questions: readonly string[],
): Promise<Filled> {
  context.progress(`suite storage: ${kind.name}`);
  const measured = await openMeasured(kind, path);
  const { store } = measured;
  const took: Record<string, number> = {};
  const timed = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    await work();
    const { user, system } = process.cpuUsage(cpu);
    took[what] = (performance.now() - start) / 1e3;
    took[`${what}, processor`] = (user + system) / 1e6;
  };
  await timed("ingest", () =>
    store.ingest(
      files.map(({ path: at, text }) => ({ path: at, content: text })),
      { embed: "off" },
    ),
  );
  await timed("embedding", () => store.embeddings.run());
  await store.embeddings.flush();
  await timed("reading the vectors into an index", () => rebuild(measured));
  for (const mode of ["lexical", "hybrid"] as const) {
    const times: number[] = [];
    for (const [at, text] of [...questions.slice(0, WARM_UP), ...questions].entries()) {
      const start = performance.now();
      await store.search({ text, mode });
      if (at >= WARM_UP) times.push(performance.now() - start);
    }
    took[`search ${mode} p50`] = median(times);
  }
  const found: string[][] = [];
  for (const text of questions) {
    found.push((await store.search({ text, mode: "vector" })).hits.map(({ chunkId }) => chunkId));
  }
  const exact = kind === PLAIN ? await allVectors(measured) : { ids: [], vectors: [] };
  await store.close();
  return { kind, parts: fileParts(path), took, found, exact };
}

async function rebuild({ vectors }: MeasuredStore): Promise<void> {
  for (const { indexId } of await vectors.tables()) {
    for (const version of await vectors.generations(indexId)) await vectors.rebuild(indexId, version);
  }
}

/** The vectors of a plain store: what the embedder made. */
async function allVectors({ db, vectors }: MeasuredStore): Promise<ExactVectors> {
  const [table] = await vectors.tables();
  const rows = await db.all<{ id: string; chunk: string }>(
    `SELECT embedding_id AS id, chunk_id AS chunk FROM "${table!.tableName}" ORDER BY vector_key`,
  );
  const all: Float32Array[] = [];
  for (let at = 0; at < rows.length; at += 1000) {
    const ids = rows.slice(at, at + 1000).map(({ id }) => id);
    all.push(...((await vectors.vectorsOf(table!.indexId, ids)) as Float32Array[]));
  }
  return { ids: rows.map(({ chunk }) => chunk), vectors: all };
}

function reportSizes(context: BenchContext, files: readonly DocFile[], plain: Filled, ours: Filled): void {
  const figure = { suite: "storage", dataset: datasetName(files) };
  for (const [metric, bytes] of plain.parts) {
    context.report({ ...figure, case: PLAIN.name, metric, value: bytes / 1e6, unit: "MB" });
    compare(context, { ...figure, case: OURS.name, metric }, "MB", (ours.parts.get(metric) ?? 0) / 1e6, bytes / 1e6);
  }
}

/** How many of the exact ten nearest each store found, and how near to each other vectors are that its integers put the other way round. */
async function reportRecall(
  { report }: BenchContext,
  figure: Pick<Figure, "suite" | "dataset">,
  exact: ExactVectors,
  questions: readonly string[],
  stores: readonly Filled[],
): Promise<void> {
  const nearest = new ExactNearest(exact);
  const queries = await createHashingEmbedder().embed(questions, { kind: "query" });
  for (const { kind, found } of stores) {
    const recall =
      queries.reduce((sum, query, at) => sum + nearest.recallOf(query, found[at] ?? []), 0) / queries.length;
    report({ ...figure, case: kind.name, metric: "recall@10 by vectors", value: recall, unit: "", recall });
  }
  const swapped = Math.max(...queries.map((query) => nearest.swappedBy(query)));
  report({ ...figure, case: OURS.name, metric: "greatest cosine of two that change places", value: swapped, unit: "" });
}

function compare(
  { report }: BenchContext,
  figure: Pick<Figure, "suite" | "dataset" | "case" | "metric">,
  unit: string,
  value: number,
  baseline: number | undefined,
): void {
  const known = baseline === undefined || baseline === 0 ? {} : { baseline, ratio: value / baseline };
  report({ ...figure, value, unit, ...known });
}

function whole({ parts }: Filled): number {
  return (parts.get("whole file") ?? 0) / 1e6;
}

/** Headings of the files, spread evenly over all languages: what people type when they look for a section. */
function headings(files: readonly DocFile[]): string[] {
  const found = files.flatMap((file) =>
    file.text
      .split("\n")
      .filter((line) => /^## \S/u.test(line))
      .slice(0, 1),
  );
  const step = Math.max(1, Math.floor(found.length / QUERIES));
  return found
    .filter((_, at) => at % step === 0)
    .slice(0, QUERIES)
    .map((line) => line.replace(/^#+ /u, ""));
}
