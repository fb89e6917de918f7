import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { BrowserProfile } from "./browser-profile.ts";
import { DemoPage } from "./demo-page.ts";
import { MarkdownFolder } from "./markdown-folder.ts";

const url = inject("demoUrl");
const NOTES = 600;
const ENOUGH = 40;
let folder: MarkdownFolder;

beforeAll(async () => {
  folder = await MarkdownFolder.create(NOTES);
});

afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

/** Adds the folder again and checks that what was in is skipped and the rest comes in. */
async function resume(demo: DemoPage, before: number): Promise<void> {
  await demo.addFolder(folder.path);
  await demo.ingestEnded("done");
  expect(await demo.count("skipped")).toBe(before);
  expect(await demo.count("added")).toBe(NOTES - before);
  expect(await demo.documents()).toBe(NOTES);
  expect(await demo.damage()).toEqual([]);
  await demo.search(`last${NOTES - 1}last`);
  expect(await demo.get("hit").count()).toBe(1);
}

test("cancelling half-way leaves whole documents only, and adding again goes on", async () => {
  await using profile = await BrowserProfile.create();
  const context = await profile.start();
  const demo = await DemoPage.open(await context.newPage(), url);
  await demo.addFolder(folder.path);
  await demo.ingestReached(ENOUGH);
  await demo.get("ingest-cancel").click();
  await demo.ingestEnded("stopped");
  const documents = await demo.documents();
  expect(documents).toBeGreaterThanOrEqual(ENOUGH);
  expect(documents).toBeLessThan(NOTES);
  expect(await demo.damage()).toEqual([]);
  await resume(demo, documents);
});

test("a tab that crashes in the middle of an ingest loses no whole document and keeps no half one", async () => {
  await using profile = await BrowserProfile.create();
  const context = await profile.start();
  const demo = await DemoPage.open(await context.newPage(), url);
  await demo.addFolder(folder.path);
  await demo.ingestReached(ENOUGH);
  const crashed = demo.page.waitForEvent("crash");
  const session = await context.newCDPSession(demo.page);
  // The command's own answer dies with the tab.
  session.send("Page.crash").catch(() => undefined);
  await crashed;
  await demo.page.close();

  const again = await DemoPage.open(await context.newPage(), url);
  const documents = await again.documents();
  expect(documents).toBeGreaterThanOrEqual(ENOUGH);
  expect(documents).toBeLessThan(NOTES);
  expect(await again.damage()).toEqual([]);
  await resume(again, documents);
});

test("a worker that ends in the middle of an ingest is noticed, and the store reopens in the same tab", async () => {
  await using profile = await BrowserProfile.create();
  const context = await profile.start();
  await context.addInitScript(() => {
    const workers: Worker[] = [];
    window.Worker = class extends window.Worker {
      constructor(url: string | URL, options?: WorkerOptions) {
        super(url, options);
        workers.push(this);
      }
    };
    Object.assign(window, { endWorkers: () => workers.forEach((worker) => worker.terminate()) });
  });
  const demo = await DemoPage.open(await context.newPage(), url);
  await demo.addFolder(folder.path);
  await demo.ingestReached(ENOUGH);
  await demo.page.evaluate(() => (window as unknown as { endWorkers(): void }).endWorkers());
  await demo.get("banner").waitFor();
  await demo.ingestEnded("error");

  await demo.get("banner-action").click();
  await demo.get("banner").waitFor({ state: "detached" });
  await demo.opened();
  const documents = await demo.documents();
  expect(documents).toBeGreaterThanOrEqual(ENOUGH);
  expect(documents).toBeLessThan(NOTES);
  expect(await demo.damage()).toEqual([]);
  await resume(demo, documents);
});

test("a full disk stops an ingest with its reason, and with more room it goes on", async () => {
  await using profile = await BrowserProfile.create();
  const context = await profile.start();
  const demo = await DemoPage.open(await context.newPage(), url);
  await demo.loadSample();
  const sample = await demo.documents();
  const session = await context.newCDPSession(demo.page);
  const { origin } = new URL(url);
  const usage = await demo.page.evaluate(async () => (await navigator.storage.estimate()).usage ?? 0);
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: usage + 2 * 1024 * 1024 });
  await demo.addFolder(folder.path);
  await demo.ingestEnded("error");
  expect(await demo.get("ingest-notes").innerText()).toContain("no room left");
  expect(await demo.documents()).toBe(sample + (await demo.count("added")));
  expect(await demo.documents()).toBeLessThan(NOTES);
  expect(await demo.damage()).toEqual([]);

  await session.send("Storage.overrideQuotaForOrigin", { origin });
  await demo.addFolder(folder.path);
  await demo.ingestEnded("done");
  expect(await demo.documents()).toBe(sample + NOTES);
  expect(await demo.damage()).toEqual([]);
});

test("a folder with bad files and hidden ones takes in the good ones and says what it left out", async () => {
  await using small = await MarkdownFolder.create(3);
  await small.write("picture.png", new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 0xff, 0xfe]));
  await small.write("latin-1.md", new Uint8Array([0x63, 0x61, 0x66, 0xe9, 0x0a]));
  await small.write(".git/config", "[core]");
  await small.write("node_modules/left/index.md", "# Left out");
  await using profile = await BrowserProfile.create();
  const context = await profile.start();
  const demo = await DemoPage.open(await context.newPage(), url);
  await demo.addFolder(small.path);
  await demo.ingestEnded("done");
  expect(await demo.count("added")).toBe(3);
  expect(await demo.count("failed")).toBe(2);
  await demo.get("failures").locator("summary").click();
  const failures = await demo.get("failures").locator("li").allInnerTexts();
  expect(failures.filter((text) => text.includes("latin-1.md"))).toHaveLength(1);
  expect(failures.filter((text) => text.includes("picture.png"))).toHaveLength(1);
  expect(await demo.get("left-out").innerText()).toContain("2 hidden files and folders");
  expect(await demo.damage()).toEqual([]);
});
