import { expect, inject, test } from "vitest";
import { BrowserProfile } from "./browser-profile.ts";
import { DemoPage } from "./demo-page.ts";

const url = inject("demoUrl");

test("a second tab says that the store is open elsewhere, and opens it once the first is closed", async () => {
  await using profile = await BrowserProfile.create();
  const context = await profile.start();
  const first = await DemoPage.open(await context.newPage(), url);
  const page = await context.newPage();
  await page.goto(url);
  const second = new DemoPage(page);
  await second.get("page-message").waitFor();
  expect(await second.get("page-message").getAttribute("data-code")).toBe("CONFLICT");
  expect(await second.get("page-message").innerText()).toContain("another tab");
  await second.get("retry").click();
  await second.get("page-message").waitFor();

  await first.page.close();
  await second.get("retry").click();
  await second.opened();
  expect(await second.documents()).toBe(0);
});

test("search, move, open and close need the keyboard only", async () => {
  await using profile = await BrowserProfile.create();
  const context = await profile.start();
  const demo = await DemoPage.open(await context.newPage(), url);
  await demo.loadSample();
  const { keyboard } = demo.page;
  const focused = (): Promise<string> => demo.page.evaluate(() => document.activeElement?.textContent ?? "");
  const isFocused = (testId: string): Promise<boolean> =>
    demo.get(testId).evaluate((node) => node === document.activeElement);

  await demo.get("ingest-close").focus();
  await keyboard.press("/");
  expect(await isFocused("search")).toBe(true);
  await keyboard.type("store");
  await demo.answerTo("store");
  const titles = await demo.get("hit").getByRole("link").allInnerTexts();
  expect(titles.length).toBeGreaterThan(2);
  await keyboard.press("ArrowDown");
  await keyboard.press("ArrowDown");
  expect(await focused()).toBe(titles[1]);
  await keyboard.press("Enter");
  await demo.page.locator(".line.cited").first().waitFor();
  expect(await isFocused("viewer-title")).toBe(true);
  await demo.get("position").filter({ hasText: /^2 of/ }).waitFor();
  await keyboard.press("Escape");
  await demo.get("viewer").waitFor({ state: "hidden" });
  expect(await focused()).toBe(titles[1]);
  await keyboard.press("ArrowUp");
  await keyboard.press("ArrowUp");
  expect(await isFocused("search")).toBe(true);
  await keyboard.press("Escape");
  expect(await demo.get("search").inputValue()).toBe("");
  await demo.status(/documents$/);
});

test("a hit opens at its lines, and the next one follows", async () => {
  await using profile = await BrowserProfile.create();
  const context = await profile.start();
  const demo = await DemoPage.open(await context.newPage(), url);
  await demo.loadSample();
  await demo.search("npm ci");
  const citation = await demo.get("citation").first().innerText();
  await demo.get("hit").first().getByRole("link").click();
  const cited = demo.page.locator(".line.cited");
  await cited.first().waitFor();
  const [, start = "", end = start] = /:(\d+)(?:–(\d+))?$/.exec(citation) ?? [];
  expect(await cited.first().getAttribute("data-line")).toBe(start);
  expect(await cited.last().getAttribute("data-line")).toBe(end);
  expect(await cited.locator("mark").count()).toBeGreaterThan(0);
  expect(await cited.first().evaluate((line) => line.getBoundingClientRect().top < window.innerHeight)).toBe(true);
  await demo.get("next-hit").click();
  await demo.get("position").filter({ hasText: /^2 of/ }).waitFor();
});

test("a document in UTF-16 is shown as the text it is", async () => {
  await using profile = await BrowserProfile.create();
  const demo = await DemoPage.open(await (await profile.start()).newPage(), url);
  const buffer = Buffer.from("\ufeffCone 6\nmelts at 1222 °C\n", "utf16le");
  await demo.get("file-input").setInputFiles({ name: "kiln.txt", mimeType: "text/plain", buffer });
  await demo.ingestEnded("done");
  await demo.search("melts");
  await demo.get("hit").first().getByRole("link").click();
  await demo.page.locator(".line.cited").first().waitFor();
  expect(await demo.page.locator(".line").allInnerTexts()).toEqual(["Cone 6", "melts at 1222 °C"]);
});

test("a folder that cannot be read is named, and the rest of a drop is taken in", async () => {
  await using profile = await BrowserProfile.create();
  const demo = await DemoPage.open(await (await profile.start()).newPage(), url);
  await demo.page.evaluate(() => {
    const readable = (fullPath: string): object => ({
      isFile: true,
      name: fullPath.slice(fullPath.lastIndexOf("/") + 1),
      fullPath,
      file: (give: (file: File) => void) => give(new File(["# Kiln"], "kiln.md")),
    });
    const folder = (fullPath: string, children: object[], error?: DOMException): object => ({
      isFile: false,
      name: fullPath.slice(fullPath.lastIndexOf("/") + 1),
      fullPath,
      createReader: () => ({
        readEntries: (give: (entries: object[]) => void, fail: (error: DOMException) => void) =>
          error === undefined ? give(children.splice(0)) : fail(error),
      }),
    });
    const shut = folder("/docs/shut", [], new DOMException("no permission", "NotReadableError"));
    const docs = folder("/docs", [readable("/docs/a.md"), shut, readable("/docs/b.md")]);
    const dataTransfer = { types: ["Files"], items: [{ webkitGetAsEntry: () => docs }] };
    window.dispatchEvent(Object.assign(new Event("drop", { cancelable: true }), { dataTransfer }));
  });
  await demo.ingestEnded("done");
  expect([await demo.count("added"), await demo.count("failed")]).toEqual([2, 1]);
  await demo.get("failures").locator("summary").click();
  expect(await demo.get("failures").innerText()).toMatch(/docs\/shut\s+cannot be read: no permission/u);
});

test("a deleted document is gone from the list and from the search", async () => {
  await using profile = await BrowserProfile.create();
  const context = await profile.start();
  const demo = await DemoPage.open(await context.newPage(), url);
  await demo.loadSample();
  const before = await demo.documents();
  await demo.get("document").filter({ hasText: "README.md" }).getByRole("link").click();
  await demo.page.locator(".line").first().waitFor();
  await demo.get("delete-document").click();
  await demo.get("confirm-action").click();
  await demo.get("viewer").waitFor({ state: "hidden" });
  await demo.status(new RegExp(`^${before - 1} documents`));
  await demo.search("npm ci");
  expect(await demo.get("citation").filter({ hasText: "README.md" }).count()).toBe(0);
});

test("at phone width nothing sticks out sideways, in every view", async () => {
  await using profile = await BrowserProfile.create({ viewport: { width: 390, height: 844 }, hasTouch: true });
  const context = await profile.start();
  const demo = await DemoPage.open(await context.newPage(), url);
  const sideways = (): Promise<string[]> =>
    demo.page.evaluate(() =>
      [...document.body.querySelectorAll<HTMLElement>("*")]
        .filter((node) => node.checkVisibility({ visibilityProperty: true }))
        .filter((node) => !node.closest(".visually-hidden") && node.getBoundingClientRect().right > innerWidth + 0.5)
        .map((node) => `${node.tagName}.${node.className}`),
    );
  expect(await sideways()).toEqual([]);
  await demo.loadSample();
  await demo.status(/documents$/);
  expect(await sideways()).toEqual([]);
  await demo.get("filters-toggle").click();
  await demo.search("store");
  expect(await sideways()).toEqual([]);
  await demo.get("hit").first().getByRole("link").click();
  await demo.page.locator(".line.cited").first().waitFor();
  expect(await sideways()).toEqual([]);
  expect(await demo.get("search").isVisible()).toBe(false);
  await demo.get("close-document").click();
  await demo.get("open-storage").click();
  await demo.get("storage-figures").locator("dl").first().waitFor();
  expect(await sideways()).toEqual([]);
});

test("no request leaves the origin", async () => {
  await using profile = await BrowserProfile.create();
  const context = await profile.start();
  const { origin } = new URL(url);
  const elsewhere: string[] = [];
  const complaints: string[] = [];
  context.on("request", (request) => {
    const { protocol, origin: target } = new URL(request.url());
    if (target !== origin && protocol !== "data:" && protocol !== "blob:") elsewhere.push(request.url());
  });
  const page = await context.newPage();
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  const demo = await DemoPage.open(page, url);
  await demo.loadSample();
  await demo.search("store");
  await demo.get("hit").first().getByRole("link").click();
  await demo.page.locator(".line.cited").first().waitFor();
  await demo.get("open-storage").click();
  await demo.get("check").click();
  await demo.get("check-result").filter({ hasText: "All sound" }).waitFor();
  expect(elsewhere).toEqual([]);
  expect(complaints).toEqual([]);
});

test("where there is no private file system the page says what it needs", async () => {
  await using profile = await BrowserProfile.create();
  const context = await profile.start();
  // Plain http on a name other than localhost is no secure context, and has no such file system.
  await context.route("http://insecure.test/**", async (route) => {
    const { pathname } = new URL(route.request().url());
    const response = await fetch(new URL(pathname, url));
    const body = Buffer.from(await response.arrayBuffer());
    await route.fulfill({ contentType: response.headers.get("content-type") ?? "", body });
  });
  const demo = new DemoPage(await context.newPage());
  await demo.page.goto("http://insecure.test/");
  await demo.get("page-message").waitFor();
  expect(await demo.get("page-message").getAttribute("data-code")).toBe("UNSUPPORTED");
});
