import { chromium } from "playwright";
import { expect, inject, test } from "vitest";
import { CHROMIUM_FLAGS, ensureChromium } from "../support/chromium.ts";
import { readmeExample } from "../support/readme-example.ts";

test("the README has a browser example that runs as it is written", async () => {
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: [...CHROMIUM_FLAGS] });
  try {
    const page = await browser.newPage();
    const printed: string[] = [];
    page.on("console", (message) => printed.push(message.text()));
    await page.goto(inject("libraryUrl"));
    await page.waitForFunction("'lodestore' in globalThis");
    const example = readmeExample("In the browser").replace(
      'import { openStore } from "lodestore/browser";',
      "const { openStore } = globalThis.lodestore;",
    );
    await page.evaluate(`(async () => { ${example} })()`);
    expect(printed.some((line) => line.startsWith("Kiln Cone 6 melts at 1222 degrees."))).toBe(true);
  } finally {
    await browser.close();
  }
});
