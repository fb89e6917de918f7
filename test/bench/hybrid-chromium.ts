import { datasetName, type DocFile, readAstroDocs } from "./astro-docs.ts";
import { withChromium } from "./chromium-page.ts";
import "./ingest.ts";
import { type BenchContext, median, quantile } from "./report.ts";

/** Copies of the documentation that make a hundred thousand chunks. */
const COPIES = 4;
const OPENS = 5;

/** The store end to end in Chromium with 100,000 chunks and the built-in embedder: search across the worker, search while everything
 *  is being embedded, and opening from a snapshot. */
export async function measureHybridInChromium(context: BenchContext): Promise<void> {
  const docs = await readAstroDocs(context, "hybrid");
  if (docs === undefined) return;
  const files = copiesOf(docs, COPIES);
  await withChromium(JSON.stringify(files), async (session) => {
    const name = "bench-hybrid";
    const first = await session.freshPage();
    context.progress(`suite hybrid: ${files.length} files into Chromium`);
    const filled = await first.evaluate((store) => bench.fillHybrid(store), name);
    await first.close();
    const dataset = `${datasetName(docs)} × ${COPIES}, ${filled.chunks} chunks`;
    const figure = { suite: "hybrid", dataset, platform: `chromium ${session.version}` };
    context.report({
      ...figure,
      case: "embedding all chunks",
      metric: "time",
      value: filled.embedMs / 1000,
      unit: "s",
    });
    const meanwhile = { ...figure, case: "hybrid search while embedding and indexing" };
    context.report({ ...meanwhile, metric: "p50", value: median(filled.searchesMeanwhile), unit: "ms" });
    context.report({ ...meanwhile, metric: "p99", value: quantile(filled.searchesMeanwhile, 0.99), unit: "ms" });

    const queries = questions(docs, 300);
    for (const [mode, settled] of [
      ["lexical", true],
      ["vector", true],
      ["hybrid", true],
      ["hybrid", false],
    ] as const) {
      const page = await session.freshPage();
      const { first: once, again } = await page.evaluate(
        ([store, how, list, whole]) => bench.searchAll(store, how, list, whole),
        [name, mode, queries, settled] as const,
      );
      await page.close();
      const what = `${mode} search, two to four words, ${settled ? "" : "right after opening, "}`;
      for (const [when, times] of [
        ["asked for the first time", once],
        ["asked again", again],
      ] as const) {
        const asked = { ...figure, case: `${what}${when}` };
        context.report({ ...asked, metric: "round trip p50", value: median(times), unit: "ms" });
        context.report({ ...asked, metric: "round trip p99", value: quantile(times, 0.99), unit: "ms" });
      }
    }

    const opens: number[] = [];
    const hits: number[] = [];
    let report = "";
    for (let round = 0; round < OPENS; round++) {
      const page = await session.freshPage();
      const measured = await page.evaluate(([store, query]) => bench.openToVectorHit(store, query), [
        name,
        queries[round] ?? "astro",
      ] as const);
      await page.close();
      opens.push(measured.openMs);
      hits.push(measured.hitMs);
      report = measured.report;
    }
    context.progress(`suite hybrid: opened as ${report}`);
    const rebuild = await session.freshPage();
    const { rebuildMs } = await rebuild.evaluate((store) => bench.rebuildIndex(store), name);
    await rebuild.close();
    context.report({ ...figure, case: "cold open", metric: "store open", value: median(opens), unit: "ms" });
    context.report({
      ...figure,
      case: "cold open",
      metric: "first hit by meaning",
      value: median(hits),
      unit: "ms",
      baseline: rebuildMs,
      ratio: median(hits) / rebuildMs,
    });
  });
}

/** The files several times, the paragraphs of each copy turned by one place more: other chunks, the same words. */
function copiesOf(docs: readonly DocFile[], copies: number): DocFile[] {
  return Array.from({ length: copies }, (_, copy) =>
    docs.map((doc) => {
      const paragraphs = doc.text.split("\n\n");
      const turned = [...paragraphs.slice(copy), ...paragraphs.slice(0, copy)];
      return { ...doc, path: `copy-${copy}/${doc.path}`, text: turned.join("\n\n") };
    }),
  ).flat();
}

/** Runs of words out of the text itself. */
function questions(docs: readonly DocFile[], count: number): string[] {
  const step = Math.max(1, Math.floor(docs.length / count));
  return docs
    .filter((_, index) => index % step === 0)
    .flatMap(({ text }, index) => {
      const words = text
        .replaceAll(/[^\p{L}\p{N}\s]+/gu, " ")
        .split(/\s+/u)
        .filter((word) => word.length > 2);
      const from = Math.floor(words.length / 2);
      return words.length < 10 ? [] : [words.slice(from, from + 2 + (index % 3)).join(" ")];
    })
    .slice(0, count);
}
