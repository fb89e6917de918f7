/**
 * Global set-up of the end-to-end tests: the demo, built as `npm start` builds it, and a page that has the library,
 * from its sources, as the global `lodestore`, for functions that a test hands to the browser.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Plugin, build, createServer, preview } from "vite";
import type { TestProject } from "vitest/node";
import type * as browserEntryPoint from "../src/browser.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Address of the built demo. */
    demoUrl: string;
    /** Address of the page with the global `lodestore`; it is there when the page has loaded. */
    libraryUrl: string;
  }
}

declare global {
  /** `lodestore/browser`, in the page at `libraryUrl`. */
  var lodestore: typeof browserEntryPoint;
}

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const configFile = path("../vite.config.ts");
const ANY_FREE_PORT = 0;

const libraryPage: Plugin = {
  name: "library-page",
  configureServer(server) {
    server.middlewares.use((request, response, next) => {
      if (request.url !== "/") return next();
      response.setHeader("content-type", "text/html");
      response.end(`<!doctype html><title>lodestore</title><script type="module">
        import * as lodestore from "/src/browser.ts";
        globalThis.lodestore = lodestore;
      </script>`);
    });
  },
};

export default async function serveDemo(project: TestProject): Promise<() => Promise<void>> {
  // A folder of its own: a build elsewhere must not take the pages away from under a running test.
  const outDir = mkdtempSync(join(tmpdir(), "lodestore-demo-"));
  const demo = { root: path("../demo"), configFile, logLevel: "warn" as const, build: { outDir, emptyOutDir: true } };
  await build(demo);
  const built = await preview({ ...demo, preview: { port: ANY_FREE_PORT } });
  const library = await createServer({
    root: path(".."),
    configFile,
    logLevel: "warn",
    cacheDir: path("../node_modules/.vite/e2e"),
    plugins: [libraryPage],
    server: { port: ANY_FREE_PORT, hmr: false, watch: null },
  });
  await library.listen();
  project.provide("demoUrl", addressOf(built));
  project.provide("libraryUrl", addressOf(library));
  return async () => {
    await Promise.all([built.close(), library.close()]);
    rmSync(outDir, { recursive: true, force: true });
  };
}

function addressOf(server: { resolvedUrls: { local: string[] } | null }): string {
  const address = server.resolvedUrls?.local[0];
  if (address === undefined) throw new Error("Vite's server has no local address.");
  return address;
}
