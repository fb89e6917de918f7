import { datasetName, type DocFile, readAstroDocs } from "./astro-docs.ts";
import { withChromium } from "./chromium-page.ts";
import "./ingest.ts";
import { type BenchContext, median, quantile } from "./report.ts";

const QUERIES = 60;
const COLD_OPENS = 7;

/** Search as you type over the chunks of a documentation in Chromium, and cold open to the first hit. */
export async function run(context: BenchContext): Promise<void> {
  const files = await readAstroDocs(context, "search");
  if (files === undefined) return;
  const dataset = datasetName(files);
  await withChromium(JSON.stringify(files), async (session) => {
    const figure = { suite: "search", dataset, platform: `chromium ${session.version}` };
    const name = "bench-search";
    const first = await session.freshPage();
    context.progress("suite search: ingest");
    const { stats } = await first.evaluate((store) => bench.ingest(store), name);
    await first.close();
    context.progress(`suite search: ${stats.chunks} chunks`);

    const queries = headings(files, QUERIES);
    const page = await session.freshPage();
    const times = await page.evaluate(([store, list]) => bench.type(store, list), [name, queries] as const);
    const typed = { ...figure, case: `as you type, ${stats.chunks} chunks` };
    context.report({ ...typed, metric: "keystrokes", value: times.length, unit: "" });
    context.report({ ...typed, metric: "round trip p50", value: median(times), unit: "ms" });
    context.report({ ...typed, metric: "round trip p90", value: quantile(times, 0.9), unit: "ms" });
    context.report({ ...typed, metric: "round trip p99", value: quantile(times, 0.99), unit: "ms" });
    context.report({ ...typed, metric: "round trip max", value: Math.max(...times), unit: "ms" });
    await page.close();

    const opens: number[] = [];
    const hits: number[] = [];
    for (let round = 0; round < COLD_OPENS; round++) {
      const cold = await session.freshPage();
      const measured = await cold.evaluate(([store, query]) => bench.coldOpen(store, query), [
        name,
        queries[round] ?? "astro",
      ] as const);
      if (measured.hits === 0) throw new Error("the cold open found nothing");
      opens.push(measured.openMs);
      hits.push(measured.firstHitMs);
      await cold.close();
    }
    context.report({ ...figure, case: "cold open", metric: "open p50", value: median(opens), unit: "ms" });
    context.report({ ...figure, case: "cold open", metric: "first hit p50", value: median(hits), unit: "ms" });
  });
}

/** Headings of the files, spread evenly over all languages: what people type when they look for a section. */
function headings(files: readonly DocFile[], count: number): string[] {
  const found = files.flatMap((file) => {
    const lines = file.text.split("\n").filter((line) => /^#{1,4} \S/u.test(line));
    const line = lines[Math.floor(lines.length / 2)];
    return line === undefined
      ? []
      : [
          line
            .replace(/^#+ /u, "")
            .replaceAll(/[`*_[\]()]/gu, "")
            .slice(0, 40),
        ];
  });
  const step = Math.max(1, Math.floor(found.length / count));
  return found.filter((_, index) => index % step === 0).slice(0, count);
}
