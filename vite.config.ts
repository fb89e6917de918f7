import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { bundledThreads } from "./test/support/bundle-programs.ts";
import { CHROMIUM_FLAGS, findChromium } from "./test/support/chromium.ts";
import { nodeAnswers } from "./test/support/node-answers.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const chromium = findChromium();

// The processes and threads that tests start read a hundred modules each: compiled once, not every time, they take a third of the time.
process.env["NODE_COMPILE_CACHE"] ??= path("node_modules/.cache/compiled");

/** sqlite-wasm finds its .wasm next to its own module, so it must not be bundled into Vite's dependency cache. */
const SQLITE = "@sqlite.org/sqlite-wasm";

/** What pulls in dependencies: scanned at the start, so that none is found late and the page reloaded in a test. */
const ENTRIES = ["src/*.ts", "src/{contracts,drivers,rpc,sql,store}/**/*.ts", "demo/*.html"].map(path);

// Vite serves and builds demo/ (`vite demo -c vite.config.ts`) and holds the Vitest projects; tsc builds the library.
export default defineConfig({
  // The demo is found wherever it is put, also below a path of its own.
  base: "./",
  resolve: {
    // "worker": the Markdown parser's default for browsers needs `document`. Not "development": what is measured and
    // tested is what ships.
    conditions: ["worker", "module", "browser", "production"],
    alias: [
      { find: /^lodestore$/, replacement: path("src/index.ts") },
      { find: /^lodestore\/(browser|worker|node)$/, replacement: path("src/$1.ts") },
    ],
  },
  server: { host: "127.0.0.1", fs: { allow: [path(".")] } },
  preview: { host: "127.0.0.1" },
  build: { target: "es2022", emptyOutDir: true },
  worker: { format: "es" },
  optimizeDeps: { exclude: [SQLITE], entries: ENTRIES },
  test: {
    // Against hanging alone: no test is about time, and machines are slow when others use them.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Where a project has `maxWorkers`: Vitest would leave one processor to itself, which hardly works while tests run.
    projects: [
      {
        extends: true,
        plugins: [bundledThreads],
        test: {
          name: "node",
          globalSetup: ["test/support/bundle-programs.ts"],
          maxWorkers: availableParallelism(),
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.browser.test.ts", "test/e2e/**", "test/package/**"],
        },
      },
      {
        extends: true,
        optimizeDeps: { include: ["fast-check"] },
        test: {
          name: "chromium",
          include: ["test/**/*.browser.test.ts"],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            commands: { nodeAnswers },
            provider: playwright({
              launchOptions: {
                args: [...CHROMIUM_FLAGS],
                ...(chromium === undefined ? {} : { executablePath: chromium }),
              },
            }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.e2e.test.ts"],
          globalSetup: ["scripts/serve-demo.ts"],
          maxWorkers: availableParallelism(),
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "package",
          include: ["test/package/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
