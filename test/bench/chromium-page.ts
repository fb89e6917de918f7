import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Page } from "playwright";
import { build, preview } from "vite";
import { CHROMIUM_FLAGS, ensureChromium } from "../support/chromium.ts";

/** What is measured in Chromium runs on a built page: bundled as an app would be, with a fresh profile. */
export interface ChromiumSession {
  /** Opens the page anew: no worker and no module of the page before is left. */
  freshPage(): Promise<Page>;
  /** Chromium's version. */
  version: string;
}

/**
 * Builds the benchmark page, serves it on a free port of 127.0.0.1 and opens a headless Chromium on it.
 * @param data Body of `/bench-data.json`.
 */
export async function withChromium(data: string, body: (session: ChromiumSession) => Promise<void>): Promise<void> {
  const root = fileURLToPath(new URL("browser/", import.meta.url));
  const configFile = fileURLToPath(new URL("../../vite.config.ts", import.meta.url));
  const folder = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
  const outDir = join(folder, "dist");
  await build({ root, configFile, logLevel: "warn", build: { outDir, emptyOutDir: true } });
  const server = await preview({ root, configFile, logLevel: "warn", build: { outDir }, preview: { port: 0 } });
  const address = server.resolvedUrls?.local[0];
  if (address === undefined) throw new Error("the preview server has no local address");
  const browser = await chromium.launchPersistentContext(join(folder, "profile"), {
    executablePath: ensureChromium(),
    args: [...CHROMIUM_FLAGS],
    headless: true,
  });
  await browser.route("**/bench-data.json", (route) => route.fulfill({ body: data, contentType: "application/json" }));
  try {
    await body({
      version: browser.browser()?.version() ?? "unknown",
      async freshPage() {
        const page = await browser.newPage();
        await page.goto(address);
        await page.waitForFunction("'bench' in window");
        return page;
      },
    });
  } finally {
    await browser.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
