import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { dataFolder } from "../support/data-folder.ts";
import { printer, type BenchContext } from "./report.ts";
import type { VectorsContext } from "./vectors.ts";

/** Suites by name; each is loaded only when it runs. */
const SUITES: Record<string, () => Promise<{ run(context: BenchContext): Promise<void> }>> = {
  sql: () => import("./sql.ts"),
  ingest: () => import("./ingest.ts"),
  text: () => import("./text.ts"),
  search: () => import("./search.ts"),
  vectors: () => import("./vectors.ts"),
  hybrid: () => import("./hybrid.ts"),
  node: () => import("./node.ts"),
  archive: () => import("./archive.ts"),
  chat: () => import("./chat.ts"),
  changes: () => import("./changes.ts"),
  cache: () => import("./cache.ts"),
  storage: () => import("./storage.ts"),
  assets: () => import("./assets.ts"),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    size: { type: "string", multiple: true },
  },
});

if (values.help || positionals.length === 0 || positionals.some((name) => !(name in SUITES))) {
  process.stderr.write(
    `usage: npm run bench -- <suite …> [--json] [--size 100k …]\nsuites: ${Object.keys(SUITES).join(", ")}\n` +
      "--size adds a number of vectors to those of the suite vectors (10k, 50k); LODESTORE_BENCH_SIZES=10000 replaces them.\n" +
      "LODESTORE_DATA names the folder of the data sets; suites without their data say so and end.\n",
  );
  process.exit(values.help ? 0 : 2);
}

const dataDir = dataFolder();
const context: VectorsContext = {
  report: printer(values.json),
  progress: (message) => process.stderr.write(`${message}\n`),
  dataDir,
  ...(values.size === undefined ? {} : { sizes: values.size }),
};
if (!existsSync(dataDir)) context.progress(`no data at ${dataDir} (LODESTORE_DATA): what needs it is left out`);
for (const name of positionals) {
  const load = SUITES[name];
  if (load !== undefined) await (await load()).run(context);
}
