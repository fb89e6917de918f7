import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IngestReport, StoreStats } from "../../src/contracts/store.ts";
import { openStore } from "../../src/node.ts";
import { datasetName, type DocFile, readAstroDocs } from "./astro-docs.ts";
import type { BenchPage } from "./browser/bench-page.ts";
import { type ChromiumSession, withChromium } from "./chromium-page.ts";
import { type BenchContext, type Figure, median } from "./report.ts";

declare global {
  // The benchmark page puts it there.
  var bench: BenchPage;
}

/** Runs of each kind; the median counts. */
const ROUNDS = 3;
const APPENDS = 200;

/** Ingest of a whole documentation, the bare insert of the same rows, and single-document appends. */
export async function run(context: BenchContext): Promise<void> {
  const files = await readAstroDocs(context, "ingest");
  if (files === undefined) return;
  const dataset = datasetName(files);
  await onNode(context, files, dataset);
  await withChromium(JSON.stringify(files), (session) => inChromium(context, session, dataset));
}

async function onNode(context: BenchContext, files: readonly DocFile[], dataset: string): Promise<void> {
  const runs: { report: IngestReport; stats: StoreStats; rebuildMs: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    context.progress(`suite ingest: node, round ${round + 1} of ${ROUNDS}`);
    const dir = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
    try {
      await using store = await openStore({ dir });
      const report = await store.ingest(files.map((file) => ({ path: file.path, content: file.text })));
      const stats = await store.stats();
      const start = performance.now();
      await store.documents.rebuildChunksFts();
      runs.push({ report, stats, rebuildMs: performance.now() - start });
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }
  reportIngest(context, { suite: "ingest", case: "node", dataset }, runs);
}

async function inChromium(context: BenchContext, session: ChromiumSession, dataset: string): Promise<void> {
  const figure = { suite: "ingest", case: "chromium-opfs", dataset, platform: `chromium ${session.version}` };
  const runs: { report: IngestReport; stats: StoreStats; rebuildMs: number }[] = [];
  const ratios: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    context.progress(`suite ingest: chromium, round ${round + 1} of ${ROUNDS}`);
    const page = await session.freshPage();
    const name = `bench-${round}`;
    const measured = await page.evaluate((store) => bench.ingest(store), name);
    runs.push(measured);
    const inserted = await page.evaluate((store) => bench.insertBare(store), name);
    bare.push(inserted.insertMs);
    ratios.push(measured.report.timings.sqlMs / inserted.insertMs);
    if (round < ROUNDS - 1) await page.evaluate((store) => bench.remove(store), name);
    await page.close();
  }
  reportIngest(context, figure, runs);
  context.report({
    ...figure,
    metric: "SQL and FTS against bare insert",
    value: median(runs.map((one) => one.report.timings.sqlMs)),
    unit: "ms",
    baseline: median(bare),
    ratio: median(ratios),
  });
  const last = `bench-${ROUNDS - 1}`;
  const page = await session.freshPage();
  const append = await page.evaluate(([store, count]) => bench.append(store, count), [last, APPENDS] as const);
  context.report({ ...figure, metric: "single-document append p50", value: median(append.ingestMs), unit: "ms" });
  context.report({ ...figure, metric: "smallest durable write p50", value: median(append.putMs), unit: "ms" });
  await page.evaluate((store) => bench.remove(store), last);
  await page.close();
}

function reportIngest(
  context: BenchContext,
  figure: Pick<Figure, "suite" | "case" | "dataset" | "platform">,
  runs: readonly { report: IngestReport; stats: StoreStats; rebuildMs: number }[],
): void {
  const middle = (of: (run: (typeof runs)[number]) => number): number => median(runs.map(of));
  const seconds = middle(({ report }) => report.elapsedMs / 1000);
  const first = runs[0];
  if (first === undefined) return;
  const { report, stats } = first;
  const fileCount = report.added + report.failures.length;
  const row = (metric: string, value: number, unit: string): void => context.report({ ...figure, metric, value, unit });
  row("whole ingest", seconds, "s");
  row("files", fileCount / seconds, "files/s");
  row("source", report.bytes / 1e6 / seconds, "MB/s");
  row("chunks", report.chunks / seconds, "chunks/s");
  row("failures", report.failures.length, "files");
  row(
    "share read",
    middle((run) => run.report.timings.readMs / run.report.elapsedMs),
    "",
  );
  row(
    "share parse",
    middle((run) => run.report.timings.parseMs / run.report.elapsedMs),
    "",
  );
  row(
    "share ids and chunks",
    middle((run) => run.report.timings.idsMs / run.report.elapsedMs),
    "",
  );
  row(
    "share SQL with FTS",
    middle((run) => run.report.timings.sqlMs / run.report.elapsedMs),
    "",
  );
  row(
    "share FTS (by rebuild)",
    middle((run) => run.rebuildMs / run.report.elapsedMs),
    "",
  );
  row("database bytes per source byte", stats.databaseBytes / stats.sourceBytes, "");
  row("index bytes per text byte", stats.textIndexBytes / stats.textBytes, "");
}
