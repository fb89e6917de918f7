import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Page } from "playwright";
import { createServer, type Plugin, type ViteDevServer } from "vite";
import type { SqlOpfsSettings } from "../../src/drivers/sql-opfs.ts";
import { CHROMIUM_FLAGS, ensureChromium } from "../support/chromium.ts";
import { median, quantile, type BenchContext } from "./report.ts";
import type { SqlRound } from "./sql-worker.ts";

const ROUNDS = 5;

const DEFAULTS: SqlOpfsSettings = {
  journalMode: "wal",
  pageSize: 16_384,
  cacheKib: 16_384,
  synchronous: "full",
  lockingMode: "exclusive",
};
/** What sqlite-wasm does by itself. */
const BASELINE = "delete, locking normal, 8 KiB pages";

/** Every case differs from the driver's defaults in what its name says. */
const CASES: Record<string, SqlOpfsSettings> = {
  [BASELINE]: { ...DEFAULTS, journalMode: "delete", lockingMode: "normal", pageSize: 8192 },
  "truncate, locking normal, 8 KiB pages": {
    ...DEFAULTS,
    journalMode: "truncate",
    lockingMode: "normal",
    pageSize: 8192,
  },
  "persist, locking normal, 8 KiB pages": {
    ...DEFAULTS,
    journalMode: "persist",
    lockingMode: "normal",
    pageSize: 8192,
  },
  delete: { ...DEFAULTS, journalMode: "delete" },
  "delete, synchronous extra": { ...DEFAULTS, journalMode: "delete", synchronous: "extra" },
  truncate: { ...DEFAULTS, journalMode: "truncate" },
  persist: { ...DEFAULTS, journalMode: "persist" },
  "wal (default)": DEFAULTS,
  "wal, 4 KiB pages": { ...DEFAULTS, pageSize: 4096 },
  "wal, 8 KiB pages": { ...DEFAULTS, pageSize: 8192 },
  "wal, 32 KiB pages": { ...DEFAULTS, pageSize: 32_768 },
  "wal, 2 MiB cache": { ...DEFAULTS, cacheKib: 2048 },
  "wal, 64 MiB cache": { ...DEFAULTS, cacheKib: 65_536 },
  "wal, synchronous extra": { ...DEFAULTS, synchronous: "extra" },
  "wal, synchronous normal (loses commits)": { ...DEFAULTS, synchronous: "normal" },
  "memory (not durable)": { ...DEFAULTS, journalMode: "memory" },
  "off (not durable)": { ...DEFAULTS, journalMode: "off" },
};

interface Metric {
  metric: string;
  unit: string;
  of(round: SqlRound): number;
}

const METRICS: readonly Metric[] = [
  { metric: "insert 20,000 rows of 300 bytes", unit: "ms", of: (round) => round.bulkInsertMs },
  { metric: "insert 5,000 rows into FTS5", unit: "ms", of: (round) => round.fullTextInsertMs },
  { metric: "durable append p50", unit: "ms", of: (round) => median(round.appendMs) },
  { metric: "durable append p99", unit: "ms", of: (round) => quantile(round.appendMs, 0.99) },
  { metric: "indexed read p50", unit: "µs", of: (round) => median(round.readMs) * 1000 },
  { metric: "FTS5 query p50", unit: "ms", of: (round) => median(round.searchMs) },
];

/** The settings of SQLite on OPFS in Chromium, on disk: medians of rounds that take turns, so that a busy machine
 *  slows all cases alike. */
export async function run({ report, progress }: BenchContext): Promise<void> {
  const rounds = new Map<string, SqlRound[]>(Object.keys(CASES).map((name) => [name, []]));
  const version = await inChromium(async (page) => {
    for (let round = 1; round <= ROUNDS; round++) {
      for (const [name, settings] of Object.entries(CASES)) {
        progress(`sql: round ${round} of ${ROUNDS}, ${name}`);
        rounds.get(name)?.push(await page.evaluate(runInWorker, settings));
      }
    }
  });
  for (const { metric, unit, of } of METRICS) {
    const baseline = median((rounds.get(BASELINE) ?? []).map(of));
    for (const [name, results] of rounds) {
      const value = median(results.map(of));
      const platform = `chromium ${version}`;
      report({ suite: "sql", case: name, metric, value, unit, baseline, ratio: value / baseline, platform });
    }
  }
}

/** Runs in the page. */
function runInWorker(settings: SqlOpfsSettings): Promise<SqlRound> {
  return new Promise((resolve, reject) => {
    const worker = new Worker("/test/bench/sql-worker.ts", { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<{ result: SqlRound } | { error: string }>) => {
      worker.terminate();
      if ("result" in data) resolve(data.result);
      else reject(new Error(data.error));
    });
    worker.addEventListener("error", (event) => reject(new Error(event.message)));
    worker.postMessage(settings);
  });
}

/** Runs `body` with an empty page of a real profile: in a private one, OPFS is not on the disk.
 *  @returns the browser's version */
async function inChromium(body: (page: Page) => Promise<void>): Promise<string> {
  const profile = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
  const server = await serve();
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: ensureChromium(),
    args: [...CHROMIUM_FLAGS],
  });
  try {
    const page = await browser.newPage();
    await page.goto(server.resolvedUrls?.local[0] ?? "");
    await body(page);
    return browser.browser()?.version() ?? "";
  } finally {
    await browser.close();
    await server.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/** Cross-origin isolation makes the clock finer: 5 µs instead of 100. */
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

const emptyPage: Plugin = {
  name: "empty-page",
  configureServer(server) {
    server.middlewares.use((request, response, next) => {
      if (request.url !== "/") return next();
      response.setHeaders(new Map(Object.entries({ ...ISOLATION, "content-type": "text/html" })));
      response.end("<!doctype html><title>bench</title>");
    });
  },
};

async function serve(): Promise<ViteDevServer> {
  const server = await createServer({
    root: fileURLToPath(new URL("../../", import.meta.url)),
    configFile: false,
    logLevel: "error",
    plugins: [emptyPage],
    optimizeDeps: { noDiscovery: true },
    server: {
      port: 0,
      host: "127.0.0.1",
      hmr: false,
      watch: null,
      headers: ISOLATION,
    },
  });
  return await server.listen();
}
