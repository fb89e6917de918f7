import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { chromium } from "playwright";

/** Flags every browser of the tests starts with: no sandbox (containers run as root), nothing that calls out. */
export const CHROMIUM_FLAGS: readonly string[] = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--no-first-run",
];

const ADVICE =
  "install Chromium or Chrome, or set LODESTORE_CHROMIUM to the path of one (`npx playwright install chromium` also does it)";

/**
 * The path of a Chromium or Chrome: `LODESTORE_CHROMIUM`, else the first that is installed in a usual place, else the
 * one Playwright has downloaded, else `undefined`.
 *
 * @throws Error when `LODESTORE_CHROMIUM` names a file that does not exist.
 */
export function findChromium(): string | undefined {
  const chosen = process.env["LODESTORE_CHROMIUM"];
  if (chosen) {
    if (!existsSync(chosen)) throw new Error(`LODESTORE_CHROMIUM is ${chosen}, and there is no such file.`);
    return chosen;
  }
  return [...usualPaths(), chromium.executablePath()].find((path) => existsSync(path));
}

/**
 * The path of a Chromium or Chrome, installed now if there is none: by apt on Debian for root, elsewhere by Playwright.
 *
 * @throws Error with one sentence that says what to do, when nothing could be installed.
 */
export function ensureChromium(): string {
  const found = findChromium();
  if (found !== undefined) return found;
  const { steps, how } = installation();
  process.stderr.write(`No Chromium found; trying ${how}.\n`);
  const done = steps.every(([command, ...args]) => run(command, args));
  const installed = findChromium();
  if (installed !== undefined) return installed;
  throw new Error(
    `No Chromium found and ${done ? "none appeared after" : "could not install one by"} ${how}: ${ADVICE}.`,
  );
}

type Step = [command: string, ...args: string[]];

function installation(): { steps: Step[]; how: string } {
  if (isDebian() && process.getuid?.() === 0) {
    const apt: Step[] = [
      ["apt-get", "update", "-q"],
      ["apt-get", "install", "-yq", "--no-install-recommends", "chromium"],
    ];
    return { steps: apt, how: "apt-get install chromium" };
  }
  const cli = join(dirname(createRequire(import.meta.url).resolve("playwright/package.json")), "cli.js");
  const withSystemLibraries = process.platform === "linux" && process.getuid?.() === 0 ? ["--with-deps"] : [];
  return {
    steps: [[process.execPath, cli, "install", ...withSystemLibraries, "chromium"]],
    how: "npx playwright install chromium",
  };
}

function run(command: string, args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  // Everything goes to stderr: stdout belongs to the command that needs the browser.
  return spawnSync(command, args, { env, stdio: ["ignore", 2, 2] }).status === 0;
}

/** Debian itself: Ubuntu's `chromium` package is a snap, which containers cannot run. */
function isDebian(): boolean {
  try {
    return /^ID=debian$/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch {
    return false;
  }
}

function usualPaths(): string[] {
  const { env } = process;
  if (process.platform === "darwin") {
    return ["/Applications", join(env["HOME"] ?? "", "Applications")].flatMap((folder) => [
      join(folder, "Chromium.app/Contents/MacOS/Chromium"),
      join(folder, "Google Chrome.app/Contents/MacOS/Google Chrome"),
    ]);
  }
  if (process.platform === "win32") {
    return [env["ProgramFiles"], env["ProgramFiles(x86)"], env["LOCALAPPDATA"]]
      .filter((folder) => folder !== undefined)
      .flatMap((folder) => [
        join(folder, "Google/Chrome/Application/chrome.exe"),
        join(folder, "Chromium/Application/chrome.exe"),
      ]);
  }
  const folders = new Set([...(env["PATH"] ?? "").split(delimiter).filter(Boolean), "/usr/bin", "/usr/local/bin"]);
  const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
  return [...names.flatMap((name) => [...folders].map((folder) => join(folder, name))), "/opt/google/chrome/chrome"];
}
