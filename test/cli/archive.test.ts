import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { describe, expect, test, vi } from "vitest";
import type { ArchiveImportReport, SearchResult } from "../../src/node.ts";
import { programFile } from "../support/programs.ts";
import { lodestore, lodestoreJson, makeFolder, makeStore, manyNotes, type Outcome } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 120_000 });

const NOTES = manyNotes(20);

async function hits(folder: string, ...args: readonly string[]): Promise<SearchResult["hits"]> {
  return (await lodestoreJson<SearchResult>(folder, "search", "glaze kilns", "--mode", "hybrid", "-k", "50", ...args))
    .hits;
}

/** The engine that the other commands of a test are run with. */
const ENV = { LODESTORE_VECTORS: "hnsw", ...process.env };
const ENTRY = programFile("src/cli/lodestore.ts");

/** Starts the command with its streams as they are: an archive is no text. */
function command(
  cwd: string,
  ...args: readonly string[]
): { child: ChildProcessWithoutNullStreams; ended: Promise<unknown> } {
  const child = spawn(process.execPath, [ENTRY, ...args], { cwd, env: ENV, stdio: "pipe" });
  if (args[0] === "import") child.stdout.resume();
  return { child, ended: new Promise((resolve) => child.on("close", resolve)) };
}

function run(
  cwd: string,
  program: string,
  args: readonly string[],
): Promise<Pick<Outcome, "code" | "stdout" | "stderr">> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: ENV, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** What is in a folder but the store and the notes. */
const others = (folder: string): string[] =>
  readdirSync(folder).filter((name) => ![".lodestore", "docs"].includes(name));

describe("lodestore export and import", () => {
  test("move a store through a file", async () => {
    const folder = await makeStore(NOTES);
    const exported = await lodestore(folder, "export", "notes.tar", "-q");
    expect(exported).toMatchObject({ code: 0, stderr: "" });
    expect(exported.stdout).toMatch(/^[\d.]+ [KM]iB written in .+: .+notes\.tar\n$/u);
    expect(others(folder)).toEqual(["notes.tar"]);
    const imported = await lodestore(folder, "import", "notes.tar", "--db", "moved", "-q");
    expect(imported).toMatchObject({ code: 0, stderr: "" });
    expect(imported.stdout).toMatch(/^20 documents, 40 passages, 40 embeddings imported, /u);
    expect(await hits(folder, "--db", "moved")).toEqual(await hits(folder));
    expect(await lodestore(folder, "doctor", "--db", "moved")).toMatchObject({ code: 0 });
  });

  test("tell programs what they did", async () => {
    const folder = await makeStore(NOTES);
    const written = await lodestoreJson<{ file: string; bytes: number; elapsedMs: number }>(folder, "export", "a.tar");
    expect(written.bytes).toBe(readFileSync(join(folder, "a.tar")).byteLength);
    expect(written.file).toMatch(/a\.tar$/u);
    const report = await lodestoreJson<ArchiveImportReport & { folder: string }>(
      folder,
      "import",
      "a.tar",
      "--db",
      "b",
    );
    expect(report).toMatchObject({ documents: 20, chunks: 40, embeddings: 40, missing: 0, bytes: written.bytes });
    expect(report.folder).toMatch(/b$/u);
  });

  test("go through pipes", async () => {
    const folder = await makeStore(NOTES);
    const exporting = command(folder, "export", "-", "-q");
    await pipeline(exporting.child.stdout, createWriteStream(join(folder, "piped.tar")));
    expect(await exporting.ended).toBe(0);
    const importing = command(folder, "import", "-", "--db", "piped", "-q");
    await pipeline(createReadStream(join(folder, "piped.tar")), importing.child.stdin);
    expect(await importing.ended).toBe(0);
    expect(await hits(folder, "--db", "piped")).toEqual(await hits(folder));
  });

  test("replace no file unless they are told to, and leave none half written", async () => {
    const folder = await makeStore(NOTES);
    writeFileSync(join(folder, "there.tar"), "mine");
    const refused = await lodestore(folder, "export", "there.tar");
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toBe("lodestore export: there.tar is there already\nTo replace it: --force\n");
    expect(readFileSync(join(folder, "there.tar"), "utf8")).toBe("mine");
    expect(await lodestore(folder, "export", "there.tar", "--force")).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, "there.tar")).byteLength).toBeGreaterThan(10_000);
    const nowhere = await lodestore(folder, "export", "no/such/folder.tar");
    expect(nowhere).toMatchObject({ code: 3, stdout: "" });
    expect(nowhere.stderr).toContain("folder.tar cannot be written");
    expect(others(folder)).toEqual(["there.tar"]);
    expect(readdirSync(join(folder, ".lodestore")).filter((name) => name.includes("image"))).toEqual([]);
  });

  test.skipIf(process.platform === "win32")("replace nothing but a file that is not the store's", async () => {
    const folder = await makeStore(NOTES);
    const own = await lodestore(folder, "export", ".lodestore/lodestore.db", "--force");
    expect(own).toMatchObject({ code: 2, stdout: "" });
    expect(own.stderr).toContain("is in the folder of the store");
    const device = await lodestore(folder, "export", "/dev/null", "--force");
    expect(device).toMatchObject({ code: 2, stdout: "" });
    expect(device.stderr).toContain("To write into a pipe: -");
    writeFileSync(join(folder, "there.tar"), "mine");
    symlinkSync("there.tar", join(folder, "link.tar"));
    expect(await lodestore(folder, "export", "link.tar", "--force", "-q")).toMatchObject({ code: 0 });
    expect(lstatSync(join(folder, "link.tar")).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(folder, "there.tar")).byteLength).toBeGreaterThan(10_000);
    expect((await hits(folder)).length).toBeGreaterThan(0);
  });

  test.skipIf(process.platform === "win32")("say that a pipe was closed, and leave nothing behind", async () => {
    const folder = await makeStore(NOTES);
    const { child, ended } = command(folder, "export", "-", "-q");
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.stdout.once("data", () => child.stdout.destroy());
    expect(await ended).toBe(3);
    expect(said).toContain("stdout cannot be written: it was closed before the archive was whole");
    expect(readdirSync(join(folder, ".lodestore")).filter((name) => name.includes("image"))).toEqual([]);
  });

  test.skipIf(process.platform === "win32")("leave the store as it was when the disk is full", async () => {
    const folder = await makeStore(manyNotes(1500));
    await lodestore(folder, "export", "a.tar", "-q");
    // A limit on the length of files stands for the disk: 2 MiB, in blocks of 512 bytes.
    const limited = (...args: readonly string[]): ReturnType<typeof run> =>
      run(folder, "sh", ["-c", `trap '' XFSZ; ulimit -f 4096; exec "$@"`, "sh", process.execPath, ENTRY, ...args]);
    const importing = await limited("import", "a.tar", "--db", "new", "-q");
    expect(importing).toMatchObject({ code: 3, stdout: "" });
    expect(importing.stderr).toContain("[QUOTA_EXCEEDED]");
    expect(readdirSync(join(folder, "new")).filter((name) => name.includes("image"))).toEqual([]);
    expect((await lodestoreJson<{ items: unknown[] }>(folder, "list", "--db", "new")).items).toEqual([]);
    const exporting = await limited("export", "b.tar", "-q");
    expect(exporting).toMatchObject({ code: 3, stdout: "" });
    expect(others(folder).filter((name) => name.startsWith("b.tar"))).toEqual([]);
    expect(readdirSync(join(folder, ".lodestore")).filter((name) => name.includes("image"))).toEqual([]);
    expect(await lodestore(folder, "import", "a.tar", "--db", "new", "-q")).toMatchObject({ code: 0 });
  });

  test.skipIf(process.platform === "win32")("end at Ctrl-C, and leave the store as it was", async () => {
    const folder = await makeStore(NOTES);
    await lodestore(folder, "export", "a.tar", "-q");
    const { child, ended } = command(folder, "import", "-", "--db", "new");
    // Half of it, and then nothing more.
    child.stdin.write(readFileSync(join(folder, "a.tar")).subarray(0, 150_000));
    let said = "";
    await new Promise<void>((resolve) => {
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        if (said.includes("KiB/")) resolve();
      });
    });
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(said).toContain("lodestore import: cancelled: the store is as it was");
    expect(readdirSync(join(folder, "new")).filter((name) => name.includes("image"))).toEqual([]);
    expect((await lodestoreJson<{ items: unknown[] }>(folder, "list", "--db", "new")).items).toEqual([]);
    expect(await lodestore(folder, "import", "a.tar", "--db", "new", "-q")).toMatchObject({ code: 0 });
  });

  test("say what is wrong", async () => {
    const folder = await makeStore(NOTES);
    writeFileSync(join(folder, "text.tar"), "# A note\n".repeat(200));
    const wrong = await lodestore(folder, "import", "text.tar", "--db", "new");
    expect(wrong).toMatchObject({ code: 1, stdout: "" });
    expect(wrong.stderr).toMatch(/^lodestore import: text\.tar: this is no archive: .+ \[BAD_FORMAT\]\n$/u);
    await lodestore(folder, "export", "a.tar");
    const full = await lodestore(folder, "import", "a.tar");
    expect(full).toMatchObject({ code: 3, stdout: "" });
    expect(full.stderr).toContain("an empty store");
    expect(full.stderr).toContain("--db <dir>");
    for (const [args, message] of [
      [["export"], "no file is named"],
      [["export", "a", "b"], "takes one file, got 2"],
      [["import"], "no file is named"],
      [["import", "none.tar", "--db", "x"], "none.tar cannot be read"],
      [["import", "docs", "--db", "x"], "docs cannot be read: it is a folder"],
      [["export", "-", "--json"], "with - the archive goes to stdout"],
    ] as const) {
      const outcome = await lodestore(folder, ...args);
      expect(outcome).toMatchObject({ code: 2, stdout: "" });
      expect(outcome.stderr).toContain(message);
    }
    expect(existsSync(join(folder, "x"))).toBe(false);
    expect((await lodestore(makeFolder(), "export", "a.tar")).stderr).toContain("there is no store");
  });
});
