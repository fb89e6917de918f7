import { expect, inject, test } from "vitest";
import { BrowserProfile } from "./browser-profile.ts";
import { DemoPage } from "./demo-page.ts";
import { MarkdownFolder, noteText } from "./markdown-folder.ts";

const url = inject("demoUrl");

test("the sample is taken in, found, and still there after a reload and a restart of the browser", async () => {
  await using profile = await BrowserProfile.create();
  let context = await profile.start();
  let demo = await DemoPage.open(await context.newPage(), url);
  await demo.loadSample();
  expect(await demo.count("failed")).toBe(0);
  const documents = await demo.documents();
  expect(documents).toBe(await demo.count("added"));
  expect(documents).toBeGreaterThan(0);

  const found = async (): Promise<string[]> => {
    await demo.search("durable commit");
    expect(await demo.get("hit").locator("mark").count()).toBeGreaterThan(0);
    return demo.get("hit").getByRole("link").allInnerTexts();
  };
  const hits = await found();

  await demo.page.reload();
  await demo.opened();
  expect(await demo.get("search").inputValue()).toBe("durable commit");
  expect(await found()).toEqual(hits);

  await demo.page.close();
  context = await profile.start();
  demo = await DemoPage.open(await context.newPage(), url);
  expect(await demo.documents()).toBe(documents);
  expect(await found()).toEqual(hits);
  expect(await demo.damage()).toEqual([]);
});

test("taking the same folder in again skips what is unchanged and updates what changed", async () => {
  await using folder = await MarkdownFolder.create(5);
  await using profile = await BrowserProfile.create();
  const context = await profile.start();
  const demo = await DemoPage.open(await context.newPage(), url);
  await demo.addFolder(folder.path);
  await demo.ingestEnded("done");
  expect(await demo.count("added")).toBe(5);
  await folder.write("part-0/note-3.md", `${noteText(3)}\nThe word heliotrope is new.\n`);
  await demo.get("ingest-close").click();
  await demo.addFolder(folder.path);
  await demo.ingestEnded("done");
  expect(await demo.count("added")).toBe(0);
  expect(await demo.count("skipped")).toBe(4);
  expect(await demo.count("updated")).toBe(1);
  expect(await demo.documents()).toBe(5);
  await demo.search("heliotrope");
  expect(await demo.get("hit").count()).toBe(1);
});

test("the query, the filters and the open hit come back with a reload", async () => {
  await using profile = await BrowserProfile.create();
  const context = await profile.start();
  const demo = await DemoPage.open(await context.newPage(), url);
  await demo.loadSample();
  await demo.get("path-glob").fill("lodestore/*");
  await demo.get("word-forms").check();
  await demo.search("store");
  await demo.get("hit").nth(1).getByRole("link").click();
  await demo.page.locator(".line.cited").first().waitFor();
  const lines = await demo.page.locator(".line.cited").allInnerTexts();
  const title = await demo.get("viewer-title").innerText();

  await demo.page.reload();
  await demo.opened();
  await demo.page.locator(".line.cited").first().waitFor();
  expect(await demo.get("search").inputValue()).toBe("store");
  expect(await demo.get("path-glob").inputValue()).toBe("lodestore/*");
  expect(await demo.get("word-forms").isChecked()).toBe(true);
  expect(await demo.get("viewer-title").innerText()).toBe(title);
  expect(await demo.page.locator(".line.cited").allInnerTexts()).toEqual(lines);
  await demo.get("position").filter({ hasText: /^2 of/ }).waitFor();
});

test("deleting everything leaves an empty store, also after a reload", async () => {
  await using profile = await BrowserProfile.create();
  const context = await profile.start();
  const demo = await DemoPage.open(await context.newPage(), url);
  await demo.loadSample();
  await demo.get("open-storage").click();
  await demo.get("delete-everything").click();
  await demo.get("confirm-action").click();
  await demo.get("welcome").waitFor();
  expect(await demo.documents()).toBe(0);
  await demo.page.reload();
  await demo.get("welcome").waitFor();
  expect(await demo.documents()).toBe(0);
});
