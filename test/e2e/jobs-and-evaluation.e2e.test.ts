import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { BrowserProfile } from "./browser-profile.ts";
import { DemoPage } from "./demo-page.ts";
import { MarkdownFolder } from "./markdown-folder.ts";

const url = inject("demoUrl");
const NOTES = 600;
const EVIL = "<img src=x onerror=alert(1)>";
const SUITE = {
  name: "house rules",
  queries: [
    { id: "1", text: "What happens to a migration that has landed?", expected: ["lodestore/DESIGN.md"] },
    { id: "2", text: "run the tests", expected: ["lodestore/CONTRIBUTING.md"] },
    { id: "3", text: `installing ${EVIL}`, expected: ["lodestore/README.md"] },
    { id: "4", text: "xylophone", expected: ["lodestore/CHANGELOG.md"] },
  ],
};

async function openDemo(profile: BrowserProfile): Promise<DemoPage> {
  return DemoPage.open(await (await profile.start()).newPage(), url);
}

function job(demo: DemoPage, status: string): ReturnType<DemoPage["get"]> {
  return demo.page.locator(`[data-testid="job"][data-kind="ingest"][data-status="${status}"]`);
}

test("an ingest is seen as it goes on, is cancelled from the list, and resumed with its folder chosen again", async () => {
  await using folder = await MarkdownFolder.create(NOTES);
  await using profile = await BrowserProfile.create();
  const demo = await openDemo(profile);
  await demo.get("view-jobs").click();
  await demo.get("jobs-count").filter({ hasText: "Nothing has been done here yet." }).waitFor();
  await demo.addFolder(folder.path);
  await job(demo, "running").waitFor();
  await job(demo, "running")
    .getByTestId("job-reach")
    .filter({ hasText: /\d+ of 600 files/u })
    .waitFor();
  expect(await job(demo, "running").getByRole("progressbar").getAttribute("aria-valuenow")).toMatch(/^\d+$/u);
  expect(await job(demo, "running").innerText()).toContain(folder.name);
  await job(demo, "running").getByTestId("job-cancel").click();
  await demo.get("confirm-action").click();
  await job(demo, "cancelled").waitFor();
  expect(await job(demo, "cancelled").getByTestId("job-status").innerText()).toBe("Cancelled");
  await demo.ingestEnded("stopped");
  const before = await demo.documents();
  expect(before).toBeLessThan(NOTES);

  await job(demo, "cancelled").getByTestId("job-resume").click();
  await demo.get("choose-again").filter({ hasText: folder.name }).waitFor();
  await demo.get("resume-folder-input").setInputFiles(folder.path);
  await job(demo, "completed").waitFor({ timeout: 50_000 });
  expect(await job(demo, "completed").innerText()).toMatch(/600 of 600 files.*attempt 2/su);
  expect(await demo.documents()).toBe(NOTES);
  expect(await demo.damage()).toEqual([]);

  await demo.get("job-filter-status").selectOption("failed");
  await demo.get("jobs-count").filter({ hasText: "No job is like that." }).waitFor();
  await demo.get("job-filter-status").selectOption("");
  await job(demo, "completed").getByTestId("job-delete").click();
  await job(demo, "completed").waitFor({ state: "detached" });
});

test("what ended with the page is named when the store opens, and goes on", async () => {
  await using profile = await BrowserProfile.create();
  const demo = await openDemo(profile);
  await demo.page.evaluate(async () => {
    const { store } = window;
    await store!.jobs.create("transcribe", { path: "talk.wav" });
    for (let number = 0; number < 30; number++) await store!.jobs.create("count", { number });
  });
  await demo.page.reload();
  await demo.opened();
  await demo.get("banner").filter({ hasText: "31 jobs ended with the page" }).waitFor();
  await demo.get("banner-action").click();
  await demo.get("jobs-count").filter({ hasText: "the newest 25 jobs" }).waitFor();
  expect(await demo.get("banner").count()).toBe(0);
  await demo.get("jobs-more").click();
  await demo.get("jobs-count").filter({ hasText: "31 jobs" }).waitFor();
  expect(await demo.get("job").count()).toBe(31);
  await demo.get("job-filter-kind").selectOption("transcribe");
  await demo.get("jobs-count").filter({ hasText: "1 job," }).waitFor();
  expect(await demo.get("job-status").innerText()).toBe("Interrupted");
});

test("a suite is taken in, run twice, shown with plots, compared, and downloaded as a report; answers are listed", async () => {
  await using folder = await MarkdownFolder.create(0);
  await using profile = await BrowserProfile.create();
  const demo = await openDemo(profile);
  const { page } = demo;
  await demo.loadSample();
  await demo.get("view-evaluation").click();
  const bad = join(folder.path, "bad.json");
  await writeFile(bad, "{");
  await demo.get("suite-input").setInputFiles(bad);
  await demo.get("suite-status").filter({ hasText: "bad.json is not JSON" }).waitFor();
  const file = join(folder.path, "suite.json");
  await writeFile(file, JSON.stringify(SUITE));
  await demo.get("suite-input").setInputFiles(file);
  await demo.get("suite-status").filter({ hasText: "“house rules” is in, with 4 queries." }).waitFor();

  // A suite that is dropped on its place is no document.
  const dropped = await page.evaluateHandle((text) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], "dropped.jsonl"));
    return transfer;
  }, JSON.stringify(SUITE.queries[0]));
  for (const type of ["dragenter", "dragover", "drop"]) {
    await demo.get("suite-drop").dispatchEvent(type, { dataTransfer: dropped });
  }
  await demo.get("suite-status").filter({ hasText: "“dropped” is in, with 1 query." }).waitFor();
  expect(await page.locator(".drop-sheet").isVisible()).toBe(false);
  expect(await demo.get("count-added").innerText()).toBe("4");
  await demo.get("eval-suite").selectOption("house rules");

  await demo.get("eval-label").fill("first");
  await demo.get("eval-start").click();
  await demo.get("measures-plot").locator("svg rect").first().waitFor();
  expect(await demo.get("run-title").innerText()).toBe("first");
  expect(await demo.get("measures-plot").locator("svg").getAttribute("aria-label")).toContain("Measures");
  expect(await demo.get("latency-plot").locator("svg rect").count()).toBeGreaterThan(0);
  expect(await demo.get("run").locator("img").count()).toBe(0);
  const cells = demo.get("query-table").locator("tbody tr");
  expect(await cells.first().innerText()).toContain("xylophone");
  await demo.get("sort-order").focus();
  await page.keyboard.press("Enter");
  expect(await cells.first().innerText()).toContain("migration");
  expect(await demo.get("sort-order").evaluate((node) => node === document.activeElement)).toBe(true);
  expect(await page.locator("th[aria-sort]").count()).toBe(1);
  const stored = await page.evaluate(async () => (await window.store!.evaluations.listRuns()).items[0]!);
  expect(await demo.get("run").innerText()).toContain(stored.aggregates!.metrics!.ndcg.toFixed(4));

  await demo.get("all-runs").click();
  await demo.get("eval-k").fill("10");
  await demo.get("eval-label").fill("second");
  await demo.get("eval-mode").selectOption("hybrid");
  await demo.get("eval-start").click();
  await demo.get("run-title").filter({ hasText: "second" }).waitFor();
  await demo.get("compare-with").selectOption({ label: "first" });
  await demo.get("differences-plot").locator("svg").waitFor();
  expect(await demo.get("run").innerText()).toMatch(
    /95 % interval of it[\s\S]*paired randomisation test[\s\S]*t-test/u,
  );
  expect(page.url()).toMatch(/run=[0-9a-f]{32}&against=[0-9a-f]{32}$/u);
  await page.reload();
  await demo.opened();
  await demo.get("differences-plot").locator("svg").waitFor();
  const [report] = await Promise.all([page.waitForEvent("download"), demo.get("download-report").click()]);
  expect(report.suggestedFilename()).toBe("evaluation-house-rules.html");
  const text = await readFile(await report.path(), "utf8");
  expect(text).toContain("paired randomisation test");
  expect(text).not.toContain(EVIL);

  await page.goBack();
  await demo
    .get("run-title")
    .filter({ hasText: /^second$/u })
    .waitFor();
  await demo.get("all-runs").click();
  expect(await demo.get("run-link").allInnerTexts()).toEqual(["second", "first"]);
  await demo.get("suite-maker").locator("summary").click();
  await demo.get("maker-text").fill("snapshot");
  await demo.get("maker-find").click();
  await demo.get("maker-hits").locator("input").first().check();
  await demo.get("maker-add").click();
  await demo.get("maker-status").filter({ hasText: "“my queries” has 1 query now." }).waitFor();
  await page.waitForFunction(() => document.querySelector<HTMLSelectElement>("#eval-suite")?.value === "my queries");

  await demo.get("view-chat").click();
  await demo.get("question-input").fill(SUITE.queries[0]!.text);
  await demo.get("ask").click();
  await demo.get("answer").first().waitFor();
  await demo.get("question-input").fill("xylophone zeppelin");
  await demo.get("ask").click();
  await demo.get("answer").nth(1).waitFor();
  await demo.get("view-evaluation").click();
  await demo.get("answer-row").nth(1).waitFor();
  expect(await demo.get("answer-row").first().innerText()).toMatch(/xylophone zeppelin\s+Refused/u);
  await demo.get("answer-filter").selectOption("grounded");
  await demo.get("answers-count").filter({ hasText: "1 answer," }).waitFor();
  expect(await demo.get("answer-row").innerText()).toMatch(/Grounded[\s\S]*cited/u);
  await demo.get("answer-row").getByRole("link").click();
  await demo.get("answer").nth(1).waitFor();
});

test("room is given back, and where the bytes are is told to who asks", async () => {
  await using profile = await BrowserProfile.create();
  const demo = await openDemo(profile);
  await demo.loadSample();
  await demo.get("open-storage").click();
  await demo.get("vacuum").click();
  await demo
    .get("vacuum-status")
    .filter({ hasText: /given back|nothing to give back/u })
    .waitFor();
  await demo.get("vacuum-status").filter({ hasText: "the database has" }).waitFor();
  expect(await demo.get("sizes").innerText()).toBe("");
  await demo.get("sizes-details").locator("summary").click();
  await demo
    .get("sizes")
    .filter({ hasText: /chunks[\s\S]*KB/u })
    .waitFor();
});

test("jobs and evaluation need the keyboard only, and keep within a phone", async () => {
  await using profile = await BrowserProfile.create({ viewport: { width: 390, height: 844 }, hasTouch: true });
  const demo = await openDemo(profile);
  await demo.loadSample();
  const { keyboard } = demo.page;
  const outside = (): Promise<string[]> =>
    demo.page.evaluate(() =>
      [...document.body.querySelectorAll<HTMLElement>("*")]
        .filter((node) => node.checkVisibility({ visibilityProperty: true }))
        .filter((node) => node.closest(".visually-hidden, .table, svg") === null)
        .filter((node) => node.getBoundingClientRect().right > innerWidth + 0.5)
        .map((node) => `${node.tagName}.${node.className}`),
    );
  const tabTo = async (testId: string): Promise<void> => {
    const isFocused = (): Promise<boolean> =>
      demo
        .get(testId)
        .first()
        .evaluate((node) => node === document.activeElement);
    for (let presses = 0; presses < 60 && !(await isFocused()); presses++) await keyboard.press("Tab");
    if (!(await isFocused())) throw new Error(`The Tab key does not reach ${testId}.`);
  };
  await demo.get("theme").focus();
  await tabTo("view-jobs");
  await keyboard.press("Enter");
  await job(demo, "completed").waitFor();
  await demo.get("jobs-title").focus();
  await tabTo("job-delete");
  const [before] = await Promise.all([demo.get("job").count(), keyboard.press("Enter")]);
  await demo.page.waitForFunction(
    (count) => document.querySelectorAll('[data-testid="job"]').length === count,
    before - 1,
  );
  expect(await outside()).toEqual([]);
  await demo.page.evaluate((suite) => window.store!.evaluations.putSuite(suite), SUITE);
  await demo.get("theme").focus();
  await tabTo("view-evaluation");
  await keyboard.press("Enter");
  await demo.get("run-form").waitFor();
  expect(await outside()).toEqual([]);
  await demo.get("evaluation-title").focus();
  await tabTo("eval-start");
  await keyboard.press("Enter");
  await demo.get("measures-plot").waitFor();
  await demo.page.waitForFunction(() => document.activeElement?.getAttribute("data-testid") === "run-title");
  expect(await outside()).toEqual([]);
  await tabTo("sort-ndcg");
  await keyboard.press("/");
  await demo.get("search").waitFor();
  expect(await demo.get("search").evaluate((node) => node === document.activeElement)).toBe(true);
});
