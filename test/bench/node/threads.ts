import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Worker } from "node:worker_threads";
import type { Store } from "../../../src/contracts/store.ts";
import { openStore } from "../../../src/node.ts";
import { openTestStore } from "../../support/open-test-store.ts";
import { datasetName, type DocFile, readAstroDocs } from "../astro-docs.ts";
import { type BenchContext, type Figure, median, quantile } from "../report.ts";

const ROUNDS = 3;
/** A search is asked for this often while documents are taken in, in milliseconds. */
const SEARCH_EVERY_MS = 20;
/** How finely the event loop is looked at, in milliseconds; what the figures are above it is delay. */
const RESOLUTION_MS = 1;
const NS_PER_MS = 1e6;
const IDLE_MS = 10_000;

const WORDS = [
  "astro",
  "component",
  "routing",
  "markdown",
  "islands",
  "getStaticPaths",
  "integration",
  "コンポーネント",
];

/** How long the caller's event loop waits, and its searches, while a documentation is taken in and embedded: in threads, and, for
 *  comparison, with the same store in the caller's own thread. */
export async function run(context: BenchContext): Promise<void> {
  const files = await readAstroDocs(context, "node");
  if (files === undefined) return;
  const dataset = datasetName(files);
  const inThreads = (readers: number) => (dir: string) => openStore({ dir, readers, embedder: { kind: "hashing" } });
  const cases: Record<string, (dir: string) => Promise<Store>> = {
    "in threads, 1 reader": inThreads(1),
    "in threads, 2 readers": inThreads(2),
    "in one thread of its own": inThreads(0),
    "in the caller's thread": async (dir) => (await openTestStore(join(dir, "lodestore.db"))).store,
  };
  for (const [name, open] of Object.entries(cases)) {
    const runs: Measured[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      context.progress(`suite node: ${name}, round ${round + 1} of ${ROUNDS}`);
      runs.push(await measure(open, files));
    }
    tell(context, { suite: "node", case: name, dataset }, runs);
  }
  const { p50, p99, max } = await idle();
  const figure = { suite: "node", case: "nothing but a busy thread beside it" };
  context.report({ ...figure, metric: "event-loop delay p50", value: p50, unit: "ms" });
  context.report({ ...figure, metric: "event-loop delay p99", value: p99, unit: "ms" });
  context.report({ ...figure, metric: "event-loop delay max", value: max, unit: "ms" });
}

/** What the machine itself does to an event loop that has nothing to do, while another thread computes. */
async function idle(): Promise<Measured["delay"]> {
  const busy = new Worker("for (;;);", { eval: true });
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  delay.disable();
  await busy.terminate();
  return inMs(delay);
}

interface Measured {
  ingestMs: number;
  delay: { p50: number; p99: number; max: number };
  searches: number[];
}

async function measure(open: (dir: string) => Promise<Store>, files: readonly DocFile[]): Promise<Measured> {
  const dir = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
  try {
    await using store = await open(dir);
    const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    const searches: number[] = [];
    const ingesting = { over: false };
    delay.enable();
    const start = performance.now();
    const ingest = store
      .ingest(
        files.map((file) => ({ path: file.path, content: file.text })),
        { embed: "background" },
      )
      .finally(() => (ingesting.over = true));
    const asked: Promise<void>[] = [];
    for (let n = 0; !ingesting.over; n++) {
      asked.push(searchOnce(store, n, searches));
      await new Promise((resolve) => setTimeout(resolve, SEARCH_EVERY_MS));
    }
    await ingest;
    const ingestMs = performance.now() - start;
    await Promise.all(asked);
    delay.disable();
    return { ingestMs, delay: inMs(delay), searches };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function searchOnce(store: Store, n: number, times: number[]): Promise<void> {
  const start = performance.now();
  await store.search({ text: `${WORDS[n % WORDS.length] ?? ""} ${WORDS[(n * 3 + 1) % WORDS.length] ?? ""}` });
  times.push(performance.now() - start);
}

function inMs(delay: ReturnType<typeof monitorEventLoopDelay>): Measured["delay"] {
  const above = (ns: number): number => Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
  return { p50: above(delay.percentile(50)), p99: above(delay.percentile(99)), max: above(delay.max) };
}

function tell(
  context: BenchContext,
  figure: Pick<Figure, "suite" | "case" | "dataset">,
  runs: readonly Measured[],
): void {
  const row = (metric: string, of: (run: Measured) => number, unit = "ms"): void =>
    context.report({ ...figure, metric, value: median(runs.map(of)), unit });
  row("whole ingest", ({ ingestMs }) => ingestMs / 1000, "s");
  row("event-loop delay p50", ({ delay }) => delay.p50);
  row("event-loop delay p99", ({ delay }) => delay.p99);
  row("event-loop delay max", ({ delay }) => delay.max);
  row("searches meanwhile", ({ searches }) => searches.length, "");
  row("search meanwhile p50", ({ searches }) => quantile(searches, 0.5));
  row("search meanwhile p99", ({ searches }) => quantile(searches, 0.99));
}
