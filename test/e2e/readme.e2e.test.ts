import { chromium } from "playwright";
import { expect, inject, test } from "vitest";
import { CHROMIUM_FLAGS, ensureChromium } from "../support/chromium.ts";
import { readmeExample } from "../support/readme-example.ts";

test.each([
  ["In the browser", /^Kiln Cone 6 melts at 1222 degrees\./u],
  ["By meaning", /^Kiln 0\.\d+ (\d+|null) 1$/u],
])("the example of the README under %s runs as it is written", async (heading, prints) => {
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: [...CHROMIUM_FLAGS] });
  try {
    const page = await browser.newPage();
    const printed: string[] = [];
    page.on("console", (message) => printed.push(message.text()));
    await page.goto(inject("libraryUrl"));
    await page.waitForFunction("'lodestore' in globalThis");
    const example = readmeExample(heading).replace(
      'import { openStore } from "lodestore/browser";',
      "const { openStore } = globalThis.lodestore;",
    );
    await page.evaluate(`(async () => { ${example} })()`);
    expect(printed).toEqual(expect.arrayContaining([expect.stringMatching(prints)]));
  } finally {
    await browser.close();
  }
});
