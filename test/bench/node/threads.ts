import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Store } from "../../../src/contracts/store.ts";
import { openStore } from "../../../src/node.ts";
import { openTestStore } from "../../support/open-test-store.ts";
import { datasetName, type DocFile, readAstroDocs } from "../astro-docs.ts";
import { type BenchContext, type Figure, median, quantile } from "../report.ts";
import { type SeenLoop, watchLoop } from "./loop-watch.ts";

const ROUNDS = 3;
/** A search is asked for this often while documents are taken in, in milliseconds. */
const SEARCH_EVERY_MS = 20;
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
  tellLoop(context, { suite: "node", case: "nothing but a busy thread beside it" }, [await idle()]);
}

/** What the machine itself does to an event loop that has nothing to do, while another thread computes. */
async function idle(): Promise<SeenLoop> {
  const busy = new Worker("for (;;);", { eval: true });
  const stop = watchLoop();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const seen = stop();
  await busy.terminate();
  return seen;
}

interface Measured {
  ingestMs: number;
  loop: SeenLoop;
  searches: number[];
}

async function measure(open: (dir: string) => Promise<Store>, files: readonly DocFile[]): Promise<Measured> {
  const dir = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
  try {
    await using store = await open(dir);
    const searches: number[] = [];
    const ingesting = { over: false };
    const stop = watchLoop();
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
    return { ingestMs, loop: stop(), searches };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function searchOnce(store: Store, n: number, times: number[]): Promise<void> {
  const start = performance.now();
  await store.search({
    text: `${WORDS[n % WORDS.length] ?? ""} ${WORDS[(n * 3 + 1) % WORDS.length] ?? ""}`,
    fresh: true,
  });
  times.push(performance.now() - start);
}

function tell(
  context: BenchContext,
  figure: Pick<Figure, "suite" | "case" | "dataset">,
  runs: readonly Measured[],
): void {
  const row = (metric: string, of: (run: Measured) => number, unit = "ms"): void =>
    context.report({ ...figure, metric, value: median(runs.map(of)), unit });
  row("whole ingest", ({ ingestMs }) => ingestMs / 1000, "s");
  tellLoop(
    context,
    figure,
    runs.map(({ loop }) => loop),
  );
  row("searches meanwhile", ({ searches }) => searches.length, "");
  row("search meanwhile p50", ({ searches }) => quantile(searches, 0.5));
  row("search meanwhile p99", ({ searches }) => quantile(searches, 0.99));
}

function tellLoop(
  context: BenchContext,
  figure: Pick<Figure, "suite" | "case" | "dataset">,
  seen: readonly SeenLoop[],
): void {
  const row = (metric: string, of: (loop: SeenLoop) => number): void =>
    context.report({ ...figure, metric, value: median(seen.map(of)), unit: "ms" });
  row("event-loop delay p50", ({ delay }) => delay.p50);
  row("event-loop delay p99", ({ delay }) => delay.p99);
  row("event-loop delay max", ({ delay }) => delay.max);
  row("own time in a turn p99", ({ turn }) => turn.p99);
  row("own time in a turn max", ({ turn }) => turn.max);
}
