// Finds the browser of the tests, or installs one: `node scripts/ensure-chromium.mjs`.
import { ensureChromium } from "../test/support/chromium.ts";

try {
  console.error(`Browser of the tests: ${ensureChromium()}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
