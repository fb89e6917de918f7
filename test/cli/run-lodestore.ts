import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, onTestFinished } from "vitest";
import { programFile } from "../support/programs.ts";

const ENTRY = programFile("src/cli/lodestore.ts");

export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A command that runs. */
export interface Running {
  child: ChildProcess;
  /** Resolves when stderr holds the text; rejects when the command ends before. */
  saysOnStderr: (text: string) => Promise<void>;
  ended: Promise<Outcome>;
}

export interface RunOptions {
  env?: Record<string, string>;
  /** Arguments of Node itself. */
  nodeArgs?: readonly string[];
  /** The user whose process it is; the one who runs the tests by default. */
  uid?: number;
}

/** Starts the real command, as it is in the source, in a folder. */
export function start(
  cwd: string,
  args: readonly string[],
  { env = {}, nodeArgs = [], uid }: RunOptions = {},
): Running {
  const { LODESTORE_DB: _, NO_COLOR: __, ...inherited } = process.env;
  const child = spawn(process.execPath, [...nodeArgs, ENTRY, ...args], {
    cwd,
    // Lance, where it is installed, is loaded by the tests that are about it.
    env: { LODESTORE_VECTORS: "hnsw", ...inherited, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(uid === undefined ? {} : { uid }),
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  const waiting: { text: string; found: () => void }[] = [];
  child.stdout.setEncoding("utf8").on("data", (data: string) => (stdout += data));
  child.stderr.setEncoding("utf8").on("data", (data: string) => {
    stderr += data;
    for (const { text, found } of waiting) if (stderr.includes(text)) found();
  });
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const saysOnStderr = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting.push({ text, found: resolve });
      if (stderr.includes(text)) resolve();
      ended.then(() => reject(new Error(`it ended without saying "${text}": ${stderr}`)), reject);
    });
  return { child, saysOnStderr, ended };
}

/** Runs the real command to its end. */
export function lodestore(cwd: string, ...args: readonly string[]): Promise<Outcome> {
  return start(cwd, args).ended;
}

/** Runs it with `--json` and returns the object it printed. */
export async function lodestoreJson<T>(cwd: string, ...args: readonly string[]): Promise<T> {
  const { stdout, stderr } = await lodestore(cwd, ...args, "--json");
  if (stdout === "") throw new Error(`nothing on stdout: ${stderr}`);
  return JSON.parse(stdout) as T;
}

/** Makes a folder with files, gone after the test. */
export function makeFolder(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "lodestore-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFiles(folder, files);
  return folder;
}

export function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

const templates = new Map<string, string>();

afterAll(() => {
  for (const folder of templates.values()) rmSync(folder, { recursive: true, force: true });
});

/** Makes a folder whose `docs` are in the store `.lodestore`. The same files are taken in once, and copied from then on. */
export async function makeStore(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const name = Object.keys(files).join("\n");
  let template = templates.get(name);
  if (template === undefined) {
    const made = mkdtempSync(join(tmpdir(), "lodestore-cli-"));
    writeFiles(made, files);
    template = made;
    const { code, stdout, stderr } = await lodestore(template, "ingest", "docs");
    if (code !== 0) throw new Error(`the store could not be made: ${stdout}${stderr}`);
    templates.set(name, template);
  }
  const folder = makeFolder();
  cpSync(template, folder, { recursive: true });
  return folder;
}

/** Notes in a folder `docs`, `docs/n0000.md` and so on. */
export function manyNotes(count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `docs/n${String(index).padStart(4, "0")}.md`,
      `# Note ${index}\n\nThe ${index}th note speaks of kilns.\n\n## Glaze\n\nGlaze number ${index}. ${"It melts. ".repeat(40)}\n`,
    ]),
  );
}

/** Asks until the store has a document: something is committed while the command under test goes on. */
export async function untilSomethingIsIn(folder: string): Promise<void> {
  for (;;) {
    const { code, stdout } = await lodestore(folder, "list", "--limit", "1", "--json");
    if (code === 0 && (JSON.parse(stdout) as { items: unknown[] }).items.length > 0) return;
  }
}
