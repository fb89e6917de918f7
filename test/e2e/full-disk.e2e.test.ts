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
    await cdp.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 15 * 2 ** 20 });
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

test("a store that fills the disk lets documents be deleted, gives their room back, and takes others in", async () => {
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: [...CHROMIUM_FLAGS] });
  try {
    const page = await browser.newPage();
    const address = inject("libraryUrl");
    await page.goto(address);
    await page.waitForFunction("'lodestore' in globalThis");
    const cdp = await page.context().newCDPSession(page);
    const origin = new URL(address).origin;
    // What is set aside is 12 MB.
    await cdp.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 22 * 2 ** 20 });
    const filled = await page.evaluate(async () => {
      const store = await lodestore.openStore({ name: "brimful" });
      let seed = 7;
      const word = (): string => (seed = (seed * 48_271) % 2_147_483_647).toString(36);
      const note = (words: number): string => `# Note\n\n${Array.from({ length: words }, word).join(" ")}\n`;
      const codeOf = async (work: Promise<unknown>): Promise<string> =>
        work.then(
          () => "none",
          (error: unknown) => (error instanceof lodestore.StorageError ? error.code : String(error)),
        );
      const refused: string[] = [];
      // Until nothing goes in, however small.
      for (const words of [4000, 400, 40, 4]) {
        for (let index = 0, code = "none"; code === "none" && index < 500; index++) {
          code = await codeOf(store.ingest({ path: `${words}/${index}.md`, content: note(words) }));
          if (code !== "none") refused.push(code);
        }
      }
      const [first = "", ...paths] = await store.documents.allWorkspacePaths();
      const document = await store.documents.getDocumentByWorkspacePath(first);
      const deleted = await store.documents.deleteDocument(document?.id ?? "");
      await store.close();
      return { refused, deleted, paths };
    });
    expect(filled.refused).toEqual(Array.from({ length: 4 }, () => "QUOTA_EXCEEDED"));
    expect(filled.deleted).toBe(true);
    expect(filled.paths.length).toBeGreaterThan(10);
    const emptied = await page.evaluate(async (paths) => {
      const store = await lodestore.openStore({ name: "brimful" });
      const { hits } = await store.search({ text: "note", k: 1 });
      for (const path of paths) {
        const document = await store.documents.getDocumentByWorkspacePath(path);
        await store.documents.deleteDocument(document?.id ?? "");
      }
      let steps = 0;
      const { freedBytes, leftBytes } = await store.vacuum({ onProgress: () => steps++ });
      const { added } = await store.ingest({ path: "again.md", content: "# Again\n\nThere is room.\n" });
      const { ok } = await store.check();
      const { documents } = await store.stats();
      await store.close();
      return { hits: hits.length, steps, freedBytes, leftBytes, added, ok, documents };
    }, filled.paths);
    expect(emptied).toMatchObject({ hits: 1, leftBytes: 0, added: 1, ok: true, documents: 1 });
    expect(emptied.freedBytes).toBeGreaterThan(2 * 2 ** 20);
    // One for each megabyte, and one for each part.
    expect(emptied.steps).toBeLessThan(emptied.freedBytes / 2 ** 20 + 5);
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
