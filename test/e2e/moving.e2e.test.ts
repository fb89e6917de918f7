import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, onTestFinished, test } from "vitest";
import type { SearchQuery } from "lodestore";
import { BrowserProfile } from "./browser-profile.ts";
import { DemoPage } from "./demo-page.ts";
import { MarkdownFolder } from "./markdown-folder.ts";

const url = inject("demoUrl");
const ENTRY = join(import.meta.dirname, "../../src/cli/lodestore.ts");
const QUERY = "harbour lantern";
const SEARCHES: Record<string, SearchQuery> = {
  lexical: { text: QUERY, k: 30 },
  hybrid: { text: QUERY, k: 30, mode: "hybrid" },
};

type Hit = Record<"chunkId" | "title" | "score", unknown>;

const essence = (hits: readonly Hit[]): Hit[] => hits.map(({ chunkId, title, score }) => ({ chunkId, title, score }));

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "lodestore-moving-"));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** Runs the command line on Node. @returns what it printed */
function lodestore(cwd: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    // The engine of the page: another one adds scores up in another order, and ranks what is equally near in another.
    const env = { ...process.env, LODESTORE_VECTORS: "hnsw" };
    const child = spawn(process.execPath, [ENTRY, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`lodestore ${args.join(" ")} ended with ${code}: ${stderr}`));
    });
  });
}

/** What a store on Node finds. */
async function foundOnNode(cwd: string): Promise<Record<string, Hit[]>> {
  const found: Record<string, Hit[]> = {};
  for (const mode of Object.keys(SEARCHES)) {
    const printed = await lodestore(cwd, "search", QUERY, "-k", "30", "--mode", mode, "--json");
    found[mode] = essence((JSON.parse(printed) as { hits: Hit[] }).hits);
  }
  return found;
}

/** What the demo's store finds. */
async function foundInDemo({ page }: DemoPage): Promise<Record<string, Hit[]>> {
  const found: Record<string, Hit[]> = {};
  for (const [mode, query] of Object.entries(SEARCHES)) {
    const hits = await page.evaluate(async (asked) => (await window.store!.search(asked)).hits, query);
    found[mode] = essence(hits);
  }
  return found;
}

async function openDemo(profile: BrowserProfile): Promise<DemoPage> {
  const page = await (await profile.start()).newPage();
  // A dialog of the system cannot be driven: the backup is a download, as in browsers that have no such dialog.
  await page.addInitScript(() => Object.defineProperty(globalThis, "showSaveFilePicker", { value: undefined }));
  return DemoPage.open(page, url);
}

test("a backup that the page made is a store on Node, which answers as the page does", async () => {
  await using notes = await MarkdownFolder.create(25);
  await using profile = await BrowserProfile.create();
  const demo = await openDemo(profile);
  await demo.addFolder(notes.path);
  await demo.ingestEnded("done");
  await demo.page.evaluate(() => window.store!.embeddings.run());
  const cwd = await folder();
  // With the keyboard alone.
  await demo.get("open-storage").focus();
  await demo.page.keyboard.press("Enter");
  await demo.get("restore-hint").filter({ hasText: "this one holds 25 documents" }).waitFor();
  expect(await demo.get("restore").isDisabled()).toBe(true);
  await demo.get("back-up").focus();
  const [download] = await Promise.all([demo.page.waitForEvent("download"), demo.page.keyboard.press("Enter")]);
  expect(download.suggestedFilename()).toMatch(/^lodestore-\d{4}-\d\d-\d\d\.tar$/u);
  await download.saveAs(join(cwd, "page.tar"));
  await demo.get("archive-status").filter({ hasText: "Backed up" }).waitFor();

  expect(await lodestore(cwd, "import", "page.tar", "-q")).toContain("25 documents");
  const here = await foundOnNode(cwd);
  expect(here["hybrid"]).toHaveLength(30);
  expect(here).toEqual(await foundInDemo(demo));
  expect(await lodestore(cwd, "doctor")).toContain("All is well.");
});

test("a page restores what the command line exported, only when it is empty, and says what is wrong with other files", async () => {
  await using notes = await MarkdownFolder.create(25);
  const cwd = await folder();
  await lodestore(cwd, "ingest", notes.path, "-q");
  await lodestore(cwd, "export", "node.tar", "-q");
  await writeFile(join(cwd, "other.tar"), "# A note\n".repeat(100));
  await using profile = await BrowserProfile.create();
  const demo = await openDemo(profile);
  await demo.get("open-storage").click();
  await demo.get("restore-input").setInputFiles(join(cwd, "other.tar"));
  await demo.get("archive-status").filter({ hasText: "this is no archive" }).waitFor();
  expect(await demo.documents()).toBe(0);
  await demo.get("restore-input").setInputFiles(join(cwd, "node.tar"));
  await demo.get("archive-status").filter({ hasText: "Restored: 25 documents" }).waitFor();
  expect(await demo.get("restore").isDisabled()).toBe(true);
  await demo.get("storage-close").click();
  expect(await foundInDemo(demo)).toEqual(await foundOnNode(cwd));
  await demo.search(QUERY);
  expect(await demo.get("hit").count()).toBeGreaterThan(0);
  expect(await demo.damage()).toEqual([]);
});
