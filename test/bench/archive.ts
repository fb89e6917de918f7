import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createHashingEmbedder, openStore } from "../../src/node.ts";
import { datasetName, type DocFile, readAstroDocs } from "./astro-docs.ts";
import type { BenchPage } from "./browser/bench-page.ts";
import { withChromium } from "./chromium-page.ts";
import { type BenchContext, type Figure, median } from "./report.ts";

declare global {
  // The benchmark page puts it there.
  var bench: BenchPage;
}

const ROUNDS = 3;

/** Backs a documentation up with its vectors, into a file or a blob, and restores it into an empty store. */
export async function run(context: BenchContext): Promise<void> {
  const files = await readAstroDocs(context, "archive");
  if (files === undefined) return;
  const dataset = `${datasetName(files)}, hashing vectors`;
  await onNode(context, files, dataset);
  await withChromium(JSON.stringify(files), async (session) => {
    const figure = { suite: "archive", case: "chromium-opfs", dataset, platform: `chromium ${session.version}` };
    context.progress("suite archive: chromium");
    const page = await session.freshPage();
    await page.evaluate((store) => bench.fillHybrid(store), "archive");
    const runs = await page.evaluate((rounds) => bench.move("archive", rounds), ROUNDS);
    reportRuns(context, figure, runs);
    await page.evaluate((store) => bench.remove(store), "archive");
  });
}

async function onNode(context: BenchContext, files: readonly DocFile[], dataset: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
  const file = join(folder, "archive.tar");
  const embedder = createHashingEmbedder();
  const runs: Moved[] = [];
  try {
    context.progress("suite archive: node");
    await using store = await openStore({ dir: join(folder, "source"), embedder });
    await store.ingest(
      files.map(({ path, text }) => ({ path, content: text })),
      { embed: "wait" },
    );
    for (let round = 0; round < ROUNDS; round++) {
      let start = performance.now();
      await pipeline(store.export(), createWriteStream(file));
      const exportMs = performance.now() - start;
      const dir = join(folder, `target-${round}`);
      await using target = await openStore({ dir, embedder: createHashingEmbedder(), embedOnOpen: false });
      start = performance.now();
      await target.import(createReadStream(file));
      runs.push({ exportMs, importMs: performance.now() - start, bytes: (await stat(file)).size });
    }
    reportRuns(context, { suite: "archive", case: "node", dataset }, runs);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A backup and what became of it. */
interface Moved {
  exportMs: number;
  importMs: number;
  bytes: number;
}

function reportRuns(
  { report }: BenchContext,
  figure: Pick<Figure, "suite" | "case" | "dataset" | "platform">,
  runs: readonly Moved[],
): void {
  report({ ...figure, metric: "archive", value: (runs[0]?.bytes ?? 0) / 1e6, unit: "MB" });
  report({ ...figure, metric: "backup", value: median(runs.map(({ exportMs }) => exportMs)), unit: "ms" });
  report({ ...figure, metric: "restore", value: median(runs.map(({ importMs }) => importMs)), unit: "ms" });
}
