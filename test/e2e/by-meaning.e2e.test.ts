import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, inject, test } from "vitest";
import { BrowserProfile } from "./browser-profile.ts";
import { DemoPage } from "./demo-page.ts";

const url = inject("demoUrl");

test("a search by words, by meaning and by both says why each hit stands where it does", async () => {
  await using profile = await BrowserProfile.create();
  const demo = await DemoPage.open(await (await profile.start()).newPage(), url);
  await demo.loadSample();
  await demo.page.waitForFunction(async () => (await window.store?.embeddings.status())?.missing === 0);
  await demo.search("misspeled documments");
  expect(await demo.get("hit").count()).toBe(0);

  await demo.get("mode-lexical").focus();
  await demo.page.keyboard.press("ArrowRight");
  await demo.get("hit").first().waitFor();
  expect(await demo.get("mode-vector").isChecked()).toBe(true);
  await demo.page.keyboard.press("ArrowRight");
  await demo.search("store documents");
  await demo.get("report").locator("summary").click();
  expect(await demo.get("report").innerText()).toMatch(/compared all: \d+ vectors[\s\S]+By words[\s\S]+By meaning/u);
  await demo.get("why").first().locator("summary").click();
  const reasons = await demo.get("why").first().innerText();
  expect(reasons).toMatch(/fused/u);
  expect(reasons).toMatch(/rank \d+, BM25/u);

  expect(demo.page.url()).toContain("by=both");
  await demo.page.reload();
  await demo.opened();
  await demo.answerTo("store documents");
  expect(await demo.get("mode-hybrid").isChecked()).toBe(true);
  await demo.get("collapse").check();
  expect(demo.page.url()).toContain("once=1");
});

test("the storage panel shows the index, what it opened from, and its recall", async () => {
  await using profile = await BrowserProfile.create();
  const demo = await DemoPage.open(await (await profile.start()).newPage(), url);
  await demo.get("open-storage").click();
  await demo.get("indexes").filter({ hasText: "No passage has been embedded yet." }).waitFor();
  await demo.get("storage-close").click();
  await demo.loadSample();
  await demo.page.waitForFunction(async () => (await window.store?.embeddings.status())?.missing === 0);
  await demo.get("open-storage").click();
  await demo.get("index").waitFor();
  expect(await demo.get("index").innerText()).toMatch(
    /hashing 1[\s\S]+comparing all[\s\S]+384, cosine[\s\S]+Memory[\s\S]+Opened/u,
  );
  await demo.get("measure-recall").click();
  await demo
    .get("recall")
    .filter({ hasText: /recall@10 1\.000/u })
    .waitFor();
});

test("a model behind HTTP is chosen, out of reach, there again, and left", async () => {
  const model = await startModel();
  await using profile = await BrowserProfile.create();
  try {
    const demo = await DemoPage.open(await (await profile.start()).newPage(), url);
    const choose = async (kind: string): Promise<void> => {
      await demo.get("open-storage").click();
      await demo.get(`model-${kind}`).check();
      if (kind === "http") {
        await demo.get("model-url").fill(`http://127.0.0.1:${model.port}`);
        await demo.get("model-name").fill("tiny");
        await demo.get("model-dimensions").fill("8");
      }
      const page = await demo.get("app").elementHandle();
      await demo.get("model-save").click();
      // The page of the store as it was is there until that has closed.
      await page?.waitForElementState("hidden");
      await demo.opened();
    };
    expect(await demo.get("privacy").innerText()).toBe("Nothing leaves your machine.");
    await choose("http");
    const sent = await demo.get("privacy").innerText();
    expect(sent).toContain(`are sent to 127.0.0.1:${model.port}.`);
    expect(sent).not.toContain("Nothing leaves");
    await choose("none");
    expect(await demo.get("privacy").innerText()).toBe("Nothing leaves your machine.");

    await demo.loadSample();
    model.answers = false;
    await choose("http");
    await demo.get("embedding").filter({ hasText: "Passages are found by words alone" }).waitFor({ timeout: 60_000 });
    await demo.search("store");
    expect(await demo.get("hit").count()).toBeGreaterThan(0);

    model.answers = true;
    await demo.get("embedding-action").click();
    await demo.get("embedding").waitFor({ state: "hidden", timeout: 60_000 });
    await demo.get("mode-vector").check({ force: true });
    // The answer by words before it has a report, too.
    await demo.get("report").filter({ hasText: "tiny" }).waitFor();
    await demo.get("report").locator("summary").click();
    expect(await demo.get("report").innerText()).toContain("tiny");

    await choose("none");
    expect(await demo.get("mode-hybrid").isDisabled()).toBe(true);
    expect(await demo.get("mode-lexical").isChecked()).toBe(true);
  } finally {
    await new Promise((resolve) => model.server.close(resolve));
  }
});

test("a model that the store refuses leaves the documents within reach, and another one can be chosen", async () => {
  await using profile = await BrowserProfile.create();
  const demo = await DemoPage.open(await (await profile.start()).newPage(), url);
  await demo.loadSample();
  await demo.get("open-storage").click();
  await demo.get("model-http").check();
  await demo.get("model-url").fill("ftp://models.example");
  await demo.get("model-save").click();
  await demo.get("banner").filter({ hasText: "The model cannot be used" }).waitFor();
  await demo.page.reload();
  await demo.opened();
  await demo.search("store");
  expect(await demo.get("hit").count()).toBeGreaterThan(0);

  await demo.get("banner-action").click();
  expect(await demo.get("model-url").inputValue()).toBe("ftp://models.example");
  await demo.get("model-hashing").check();
  await demo.get("model-save").click();
  await demo.get("banner").waitFor({ state: "detached" });
  await demo.opened();
  expect(await demo.get("mode-hybrid").isDisabled()).toBe(false);
});

/** Speaks as Ollama does: every text has the vector of its first letters. */
async function startModel(): Promise<{ server: Server; port: number; answers: boolean }> {
  const model = { server: createServer(), port: 0, answers: true };
  model.server.on("request", (request, response) => {
    const cors = { "access-control-allow-origin": "*", "access-control-allow-headers": "*", connection: "close" };
    if (request.method === "OPTIONS") return void response.writeHead(204, cors).end();
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (part: string) => (body += part));
    request.on("end", () => {
      if (!model.answers) return void response.writeHead(404, cors).end('{"error":"no such model"}');
      const { input } = JSON.parse(body) as { input: string[] };
      const embeddings = input.map((text) => Array.from({ length: 8 }, (_, at) => 1 + (text.charCodeAt(at) || 0)));
      response.writeHead(200, { ...cors, "content-type": "application/json" }).end(JSON.stringify({ embeddings }));
    });
  });
  await new Promise<void>((resolve) => model.server.listen(0, "127.0.0.1", resolve));
  model.port = (model.server.address() as AddressInfo).port;
  return model;
}
