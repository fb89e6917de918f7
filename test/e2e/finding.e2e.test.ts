import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { BrowserProfile } from "./browser-profile.ts";
import { DemoPage } from "./demo-page.ts";
import { MarkdownFolder } from "./markdown-folder.ts";

const NOTES = 60;
let folder: MarkdownFolder;

beforeAll(async () => {
  folder = await MarkdownFolder.create(NOTES);
  await folder.write(
    "page.html",
    "<!doctype html><html lang=de><title>Seite</title><p>Der Leuchtturm steht am harbour.</p>",
  );
  await folder.write("cjk.md", "# 灯台\n\n港の灯台は夜に光ります。\n");
});

afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

/** A demo into which the folder was dropped. */
async function filledDemo(profile: BrowserProfile): Promise<DemoPage> {
  const context = await profile.start();
  const demo = await DemoPage.open(await context.newPage(), inject("demoUrl"));
  await dropOnPage(demo, [folder.path]);
  await demo.ingestEnded("done");
  await demo.get("ingest-close").click();
  await demo.status(new RegExp(`^${NOTES + 2} documents$`));
  return demo;
}

/** Drops files and folders of this machine on the page, as a file manager does. */
async function dropOnPage({ page }: DemoPage, files: string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await session.send("Input.dispatchDragEvent", { type, x: 640, y: 400, data });
  }
  await session.detach();
}

test("a dropped folder is taken in with the folders below it", async () => {
  await using profile = await BrowserProfile.create();
  const demo = await filledDemo(profile);
  expect(await demo.documents()).toBe(NOTES + 2);
  const paths = await demo.page.evaluate(() => window.store!.documents.allWorkspacePaths());
  expect(paths).toContain(`${folder.name}/part-0/note-59.md`);
});

test("fast typing ends with the hits of the last letter", async () => {
  await using profile = await BrowserProfile.create();
  const demo = await filledDemo(profile);
  await demo.get("search").fill("");
  await demo.get("search").pressSequentially("granite compass lan");
  const expected = await demo.page.evaluate(async () => {
    const { hits } = await window.store!.search({ text: "granite compass lan", k: 20, prefixLast: true });
    return hits.map(({ citation: { workspacePath, span } }) => `${workspacePath}:${span.start}–${span.end}`);
  });
  await expect.poll(() => demo.get("citation").allInnerTexts()).toEqual(expected);
  expect(expected).toHaveLength(20);
});

test("a late answer to an older query is dropped", async () => {
  await using profile = await BrowserProfile.create();
  const demo = await filledDemo(profile);
  await demo.page.evaluate(() => {
    const store = window.store!;
    const search = store.search.bind(store);
    const late = Promise.withResolvers<void>();
    store.search = async (query, options) => {
      if (query.text !== "granite") return search(query, options);
      const answer = await search(query);
      await late.promise;
      return answer;
    };
    Object.assign(window, { letLateAnswerIn: late.resolve });
  });
  await demo.get("search").fill("granite");
  await demo.search("lantern");
  await demo.page.evaluate(async () => {
    (window as unknown as { letLateAnswerIn(): void }).letLateAnswerIn();
    // A question and its answer go to the worker and back after the late one.
    await window.store!.documents.countDocuments();
    await new Promise(requestAnimationFrame);
  });
  expect(await demo.get("results").getAttribute("data-answer-to")).toBe("lantern");
  expect(await demo.get("search").inputValue()).toBe("lantern");
});

test("further hits come in pages, in order and without repeats", async () => {
  await using profile = await BrowserProfile.create();
  const demo = await filledDemo(profile);
  await demo.search("harbour");
  await demo.status(/^20\+ hits/);
  const first = await demo.get("citation").allInnerTexts();
  await demo.get("load-more").click();
  await demo.status(/^40\+ hits/);
  const both = await demo.get("citation").allInnerTexts();
  expect(both.slice(0, 20)).toEqual(first);
  expect(new Set(both).size).toBe(40);
  expect(
    await demo
      .get("hit")
      .nth(20)
      .getByRole("link")
      .evaluate((link) => link === document.activeElement),
  ).toBe(true);
});

test("a filter chip narrows the hits, and clearing brings them back", async () => {
  await using profile = await BrowserProfile.create();
  const demo = await filledDemo(profile);
  await demo.search("harbour");
  await demo.get("chip-media-text/html").click();
  await demo.status(/^1 hit\b/);
  expect(await demo.get("citation").innerText()).toContain("page.html");
  expect(await demo.get("chip-media-text/html").getAttribute("aria-pressed")).toBe("true");
  await demo.get("filters-clear").click();
  await demo.status(/^20\+ hits/);
});

test("the path field takes a glob, and says so when nothing passes it", async () => {
  await using profile = await BrowserProfile.create();
  const demo = await filledDemo(profile);
  await demo.get("search").fill("");
  await demo.get("path-glob").fill(`${folder.name}/*.html`);
  await demo.status(/^1 document$/);
  await demo.get("path-glob").fill("nowhere/**");
  await demo.status(/^0 documents$/);
  expect(await demo.get("nothing-found").innerText()).toContain("No document passes the filters");
  await demo.get("filters-clear").click();
  await demo.status(new RegExp(`^${NOTES + 2} documents$`));
});

test("Japanese is found by two characters and marked", async () => {
  await using profile = await BrowserProfile.create();
  const demo = await filledDemo(profile);
  await demo.search("灯台");
  expect(await demo.get("hit").count()).toBe(1);
  expect(await demo.get("hit").locator("mark").allInnerTexts()).toContain("灯台");
});

test("text that looks like HTML is shown as text", async () => {
  await using profile = await BrowserProfile.create();
  const demo = await filledDemo(profile);
  await using one = await MarkdownFolder.create(0);
  await one.write(
    "markup.md",
    "# <img src=x onerror=alert(1)>\n\nThe `<script>alert(2)</script>` zeppelin `<img src=x onerror=alert(3)>` & more.\n",
  );
  let alerts = 0;
  demo.page.on("dialog", (dialog) => {
    alerts += 1;
    void dialog.dismiss();
  });
  await dropOnPage(demo, [join(one.path, "markup.md")]);
  await demo.ingestEnded("done");
  await demo.search("zeppelin");
  await demo.get("hit").first().getByRole("link").click();
  await demo.page.locator(".line.cited").first().waitFor();
  expect(await demo.get("hit").locator(".snippet").innerText()).toContain("zeppelin <img src=x onerror=alert(3)>");
  expect(await demo.get("lines").innerText()).toContain("<script>alert(2)</script>");
  expect(await demo.page.locator("#root img, #root script").count()).toBe(0);
  expect(alerts).toBe(0);
  await demo.page.goBack();
  await demo.get("viewer").waitFor({ state: "hidden" });
});
