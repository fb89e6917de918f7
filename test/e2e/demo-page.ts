import type { Store } from "lodestore";
import type { Locator, Page } from "playwright";

declare global {
  interface Window {
    /** The demo's open store. */
    store?: Store;
  }
}

/** The demo in a tab, as a person uses it. */
export class DemoPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  static async open(page: Page, url: string): Promise<DemoPage> {
    const demo = new DemoPage(page);
    await page.goto(url);
    await demo.opened();
    return demo;
  }

  get(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  /** Waits until the store is open and the page knows what is in it. */
  async opened(): Promise<void> {
    await this.page.locator('[data-testid="app"]:not([data-content="unknown"])').waitFor();
  }

  async loadSample(): Promise<void> {
    await this.get("load-sample").click();
    await this.ingestEnded("done");
  }

  /** Hands a folder to the folder picker. */
  async addFolder(path: string): Promise<void> {
    await this.get("folder-input").setInputFiles(path);
  }

  async ingestEnded(state: "done" | "stopped" | "error"): Promise<void> {
    await this.page.locator(`[data-testid="ingest"][data-state="${state}"]`).waitFor({ timeout: 90_000 });
  }

  /** One of the figures of the progress panel. */
  async count(name: "added" | "updated" | "skipped" | "failed"): Promise<number> {
    return Number((await this.get(`count-${name}`).innerText()).replaceAll(",", ""));
  }

  /** Waits until at least `atLeast` files are in.
   *  @throws Error when the ingest is over by then: the test needs more files. */
  async ingestReached(atLeast: number): Promise<void> {
    const state = await this.page.waitForFunction((atLeast) => {
      const byTestId = (id: string): HTMLElement | null => document.querySelector(`[data-testid="${id}"]`);
      const added = Number(byTestId("count-added")?.textContent?.replaceAll(",", ""));
      return added >= atLeast && byTestId("ingest")?.dataset["state"];
    }, atLeast);
    if ((await state.jsonValue()) !== "running") throw new Error("The ingest ended too early for this test.");
  }

  /** Types a query and waits for its answer. */
  async search(text: string): Promise<void> {
    await this.get("search").fill(text);
    await this.answerTo(text);
  }

  /** Waits until the list shows the answer to this query. */
  async answerTo(text: string): Promise<void> {
    await this.page.locator(`[data-testid="results"][data-answer-to="${text}"]`).waitFor({ state: "attached" });
  }

  async status(text: RegExp): Promise<void> {
    await this.get("results-status").filter({ hasText: text }).waitFor();
  }

  documents(): Promise<number> {
    return this.page.evaluate(() => window.store!.documents.countDocuments());
  }

  /** What is wrong with the store: failed checks, and documents of the generated folder that are not whole. */
  async damage(): Promise<string[]> {
    return this.page.evaluate(async () => {
      const store = window.store!;
      const report = await store.check();
      const damage = report.findings.filter((finding) => !finding.ok).map(({ name, detail }) => `${name}: ${detail}`);
      const decoder = new TextDecoder();
      let cursor: string | undefined;
      do {
        const page = await store.documents.listDocuments(
          { pathGlob: "**/note-*.md" },
          { limit: 200, ...(cursor && { cursor }) },
        );
        for (const document of page.items) {
          const number = /note-(\d+)\.md$/.exec(document.workspacePath)?.[1] ?? "";
          const marks = [`first${number}first`, `last${number}last`];
          const chunks = await store.documents.getChunksOf(document.id);
          const text = decoder.decode(await store.documents.getAssetBytes(document.assetId));
          const isWhole =
            marks.every((mark) => text.includes(mark)) &&
            chunks[0]?.text.includes(marks[0] ?? "") === true &&
            chunks.at(-1)?.text.includes(marks[1] ?? "") === true &&
            chunks.every((chunk, index) => chunk.ordinal === index);
          if (!isWhole) damage.push(`${document.workspacePath} is not whole`);
        }
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      return damage;
    });
  }
}
