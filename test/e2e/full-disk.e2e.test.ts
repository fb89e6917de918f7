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

test("an import that fills the disk fails with its code, leaves the store empty, and works when there is room", async () => {
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: [...CHROMIUM_FLAGS] });
  try {
    const page = await browser.newPage();
    const address = inject("libraryUrl");
    await page.goto(address);
    await page.waitForFunction("'lodestore' in globalThis");
    const cdp = await page.context().newCDPSession(page);
    const origin = new URL(address).origin;
    const archive = await page.evaluateHandle(async () => {
      const store = await lodestore.openStore({ name: "source" });
      let seed = 7;
      const word = (): string => (seed = (seed * 48_271) % 2_147_483_647).toString(36);
      await store.ingest(
        Array.from({ length: 60 }, (_, index) => ({
          path: `${index}.md`,
          content: `# Note ${index}\n\n${Array.from({ length: 3000 }, word).join(" ")}\n`,
        })),
      );
      const pieces: Uint8Array<ArrayBuffer>[] = [];
      for await (const piece of store.export()) pieces.push(new Uint8Array(piece));
      await store.close();
      await lodestore.deleteStore({ name: "source" });
      return pieces;
    });
    const imported = (): Promise<{ code: string; documents: number; ok: boolean }> =>
      archive.evaluate(async (pieces) => {
        const store = await lodestore.openStore({ name: "target" });
        let code = "none";
        try {
          await store.import(
            (async function* () {
              yield* pieces;
            })(),
          );
        } catch (error) {
          code = error instanceof lodestore.StorageError ? error.code : String(error);
        }
        const { documents } = await store.stats();
        const { ok } = await store.check();
        await store.close();
        return { code, documents, ok };
      });
    const size = await archive.evaluate((pieces) => pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
    // No room for the archive's database, then for it and not for the rows.
    for (const quotaSize of [Math.round(size / 2), Math.round(size * 1.6)]) {
      await cdp.send("Storage.overrideQuotaForOrigin", { origin, quotaSize });
      expect(await imported()).toEqual({ code: "QUOTA_EXCEEDED", documents: 0, ok: true });
    }
    await cdp.send("Storage.overrideQuotaForOrigin", { origin });
    expect(await imported()).toEqual({ code: "none", documents: 60, ok: true });
  } finally {
    await browser.close();
  }
});
