import { expect, test } from "vitest";
import type { EvalQueryResult, EvalRun } from "../../src/contracts/evaluations.ts";
import type { Store } from "../../src/contracts/store.ts";
import { evaluationPlots, evaluationReport } from "../../src/index.ts";
import { latencyBins } from "../../src/store/evaluation/report/latency-bins.ts";
import { EVAL_FILES, EVAL_SUITE } from "../support/eval-corpus.ts";
import { openTestStore } from "../support/open-test-store.ts";

const EVIL = `</title><script>alert(1)</script><img src=x onerror='alert("2")'>&amp;\u202E`;

async function reported(
  store: Store,
  stemming: "off" | "match",
): Promise<{ run: EvalRun; results: EvalQueryResult[] }> {
  const queries = [...EVAL_SUITE.queries, { id: EVIL, text: `glazes ${EVIL}`, expected: ["e.md"] }];
  const run = await store.evaluations.run({ name: EVIL, queries }, { label: EVIL, search: { stemming } });
  return { run, results: (await store.evaluations.listResults(run.id)).items };
}

/** What stands in elements and attributes, and which elements there are. */
function elementsOf(page: string): Set<string> {
  return new Set([...page.matchAll(/<([a-z0-9!]+)/giu)].map(([, name]) => name!.toLowerCase()));
}

test("a report shows the aggregates, times and queries of a run, and escapes whatever stands in them", async () => {
  const { store } = await openTestStore();
  await store.ingest(EVAL_FILES);
  const one = await reported(store, "off");
  const page = evaluationReport({ runs: [one] });
  expect([...elementsOf(page)].filter((name) => ["script", "img", "iframe", "link", "object"].includes(name))).toEqual(
    [],
  );
  expect(page).not.toContain("\u202E");
  expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  expect(page).not.toMatch(/https?:|url\(|@import|\son[a-z]+=["']/u);
  expect(page).toContain(`<td class="number">${one.run.aggregates!.metrics!.ndcg.toFixed(4)}</td>`);
  expect(page.match(/<svg /gu)).toHaveLength(2);
  // Each plot has a name, and its numbers stand in a table.
  expect(page.match(/<svg [^>]*role="img" aria-label="[^"]+"/gu)).toHaveLength(2);
  expect(page).toContain("prefers-color-scheme: dark");
  await store.close();
});

test("a report of two runs shows their difference query by query, and what it is worth", async () => {
  const { store } = await openTestStore();
  await store.ingest(EVAL_FILES);
  const a = await reported(store, "off");
  const b = await reported(store, "match");
  const comparison = await store.evaluations.compare(a.run.id, b.run.id);
  const page = evaluationReport({ runs: [a, b], comparison });
  expect(page.match(/<svg /gu)).toHaveLength(3);
  expect(page).toContain("paired randomisation test");
  expect(page).toContain(`>${comparison.wins} / ${comparison.ties} / ${comparison.losses}<`);
  const plots = evaluationPlots({ runs: [a, b], comparison });
  for (const plot of [plots.measures, plots.latency, plots.differences]) {
    expect(plot).toMatch(/^<svg [^>]*role="img" aria-label="[^"]+"/u);
    expect(plot!.match(/<svg/gu)).toHaveLength(1);
  }
  expect(plots.measures!.match(/class="b"/gu)).toHaveLength(5);
  expect(plots.differences!.match(/class="(?:good|bad)"/gu)).toHaveLength(comparison.differences.length);
  expect(plots.latencyBins.flatMap(({ counts }) => counts).reduce((sum, count) => sum + count)).toBe(
    a.results.length + b.results.length,
  );
  await store.close();
});

test("a report of a run that did not end says so, and has no measures", async () => {
  const { store, db } = await openTestStore();
  const { run } = await reported(store, "off");
  await db.run("UPDATE eval_runs SET status = 'cancelled'");
  const cancelled = (await store.evaluations.getRun(run.id))!;
  const page = evaluationReport({ runs: [{ run: cancelled, results: [] }] });
  expect(page).toContain("There are none");
  expect(page).toContain("cancelled");
  await store.close();
});

test("bins of times hold every time once, in widths of 1, 2 and 5", () => {
  const times = Array.from({ length: 1000 }, (_, n) => (n * 37) % 101);
  const bins = latencyBins([times, [1000]]);
  expect(bins[0]).toMatchObject({ fromMs: 0, toMs: 5 });
  expect(bins.at(-1)).toMatchObject({ toMs: null });
  expect(bins.reduce((sum, { counts }) => sum + counts[0]!, 0)).toBe(1000);
  expect(bins.at(-1)!.counts[1]).toBe(1);
  for (const [index, { toMs }] of bins.entries()) if (toMs !== null) expect(bins[index + 1]!.fromMs).toBe(toMs);
  expect(latencyBins([[]])).toEqual([]);
  expect(latencyBins([[0, 0]])).toEqual([]);
});
