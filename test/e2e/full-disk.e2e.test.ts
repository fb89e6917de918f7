import { chromium } from "playwright";
import { expect, inject, test } from "vitest";
import { CHROMIUM_FLAGS, ensureChromium } from "../support/chromium.ts";

test("an ingest that fills the disk fails with its code, keeps whole documents, and goes on when there is room", async () => {
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: [...CHROMIUM_FLAGS] });
  try {
    const page = await browser.newPage();
    const address = inject("libraryUrl");
    await page.goto(address);
    await page.waitForFunction("'lodestore' in globalThis");
    const cdp = await page.context().newCDPSession(page);
    const origin = new URL(address).origin;
    await cdp.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 3 * 2 ** 20 });
    const ingest = (): Promise<{ code: string; documents: number; added: number; ok: boolean }> =>
      page.evaluate(async () => {
        const store = await lodestore.openStore({ name: "full" });
        // Words that no compression or shared term makes small.
        let seed = 7;
        const word = (): string => (seed = (seed * 48_271) % 2_147_483_647).toString(36);
        const files = Array.from({ length: 60 }, (_, index) => ({
          path: `${String(index).padStart(4, "0")}.md`,
          content: `# Note ${index}\n\n${Array.from({ length: 4000 }, word).join(" ")}\n`,
        }));
        let code = "none";
        let added = 0;
        try {
          ({ added } = await store.ingest(files));
        } catch (error) {
          code = error instanceof lodestore.StorageError ? error.code : String(error);
        }
        const { documents } = await store.stats();
        const { ok } = await store.check();
        await store.close();
        return { code, documents, added, ok };
      });
    const full = await ingest();
    expect(full).toMatchObject({ code: "QUOTA_EXCEEDED", ok: true });
    expect(full.documents).toBeLessThan(60);
    await cdp.send("Storage.overrideQuotaForOrigin", { origin });
    const roomy = await ingest();
    expect(roomy).toEqual({ code: "none", documents: 60, added: 60 - full.documents, ok: true });
  } finally {
    await browser.close();
  }
});
