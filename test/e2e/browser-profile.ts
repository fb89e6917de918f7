import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, type BrowserContextOptions, chromium } from "playwright";
import { CHROMIUM_FLAGS, findChromium } from "../support/chromium.ts";

/** A browser profile on disk: what a browser keeps when it is closed and started again. */
export class BrowserProfile implements AsyncDisposable {
  readonly #folder: string;
  readonly #options: BrowserContextOptions;
  #context: BrowserContext | undefined;

  private constructor(folder: string, options: BrowserContextOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  static async create(options: BrowserContextOptions = {}): Promise<BrowserProfile> {
    return new BrowserProfile(await mkdtemp(join(tmpdir(), "lodestore-e2e-")), options);
  }

  /** Starts the browser; started before, it is closed first. */
  async start(): Promise<BrowserContext> {
    await this.#context?.close();
    const executablePath = findChromium();
    this.#context = await chromium.launchPersistentContext(this.#folder, {
      viewport: { width: 1280, height: 800 },
      ...this.#options,
      args: [...CHROMIUM_FLAGS],
      ...(executablePath !== undefined && { executablePath }),
    });
    return this.#context;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context?.close();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
