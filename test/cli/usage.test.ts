import { describe, expect, test, vi } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { lodestore, makeFolder, start } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 60_000 });

const COMMANDS = [
  "ingest",
  "search",
  "list",
  "show",
  "embed",
  "reindex",
  "stats",
  "doctor",
  "vacuum",
  "export",
  "import",
  "changes",
  "chat list",
  "chat show",
  "chat search",
  "chat export",
  "jobs list",
  "jobs show",
  "jobs cancel",
  "jobs resume",
  "answers list",
  "answers show",
  "eval run",
  "eval list",
  "eval show",
  "eval compare",
  "lhv1 inspect",
  "lhv1 import",
];

describe("help", () => {
  test("of the whole names every command and every exit code", async () => {
    const { code, stdout, stderr } = await lodestore(makeFolder(), "--help");
    expect([code, stderr]).toEqual([0, ""]);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, "m"));
    for (const exit of [0, 1, 2, 3, 70, 130]) expect(stdout).toMatch(new RegExp(`^  ${exit} `, "m"));
  });

  test.each(COMMANDS)("of %s has usage, options, examples, and fits into 80 columns", async (command) => {
    const folder = makeFolder();
    const { code, stdout } = await lodestore(folder, ...command.split(" "), "--help");
    expect(code).toBe(0);
    expect(stdout.startsWith(`Usage: lodestore ${command} `)).toBe(true);
    expect(stdout).toMatch(
      /\nOptions:\n[^]*--db <dir>[^]*--json[^]*-h, --help[^]*\nExamples:\n {2}lodestore [^]*\nExit codes:\n/,
    );
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
    expect((await lodestore(folder, "help", ...command.split(" "))).stdout).toBe(stdout);
  });
});

describe("the command line", () => {
  test("prints its version", async () => {
    expect(await lodestore(makeFolder(), "--version")).toMatchObject({ code: 0, stdout: `${manifest.version}\n` });
  });

  test.each([
    [["serch", "x"], 'lodestore: unknown command "serch"\nDid you mean: lodestore search\n'],
    [["frobnicate"], 'lodestore: unknown command "frobnicate"\nAll commands: lodestore --help\n'],
    [
      ["--db", "x", "list"],
      "lodestore: unknown option --db\nOptions come after the command: lodestore <command> [options]\n",
    ],
    [["list", "--limti", "3"], "lodestore list: unknown option --limti\nDid you mean --limit?\n"],
    [["list", "guides"], 'lodestore list: unexpected "guides"\nTo choose by path: lodestore list --path "guides/**"\n'],
    [["search"], "lodestore search: no query is given\nExample: lodestore search getting started\n"],
    [
      ["stats", "--vectors", "hsnw"],
      'lodestore stats: --vectors got "hsnw"; it takes auto, lance, hnsw, flat\nDid you mean: hnsw\n',
    ],
    [["search", "x", "--stemming", "yes"], 'lodestore search: --stemming got "yes"; it takes rank, match, off\n'],
  ])("refuses %j with what to do instead", async (args, stderr) => {
    expect(await lodestore(makeFolder(), ...args)).toMatchObject({ code: 2, stdout: "", stderr });
  });

  test("without a command explains itself and exits with 2", async () => {
    const { code, stdout, stderr } = await lodestore(makeFolder());
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Usage: lodestore <command>");
  });

  test("writes errors as JSON when that was asked for, wrong options too", async () => {
    const { code, stdout, stderr } = await lodestore(makeFolder(), "list", "--nope", "--json");
    expect([code, stdout]).toEqual([2, ""]);
    expect(JSON.parse(stderr)).toEqual({
      error: { code: "INVALID_INPUT", message: "unknown option --nope", operation: "list" },
    });
  });

  test("drops Node's warning about node:sqlite, and no other", async () => {
    const warnings = `process.once("beforeExit", () => {
      process.emitWarning("SQLite is an experimental feature and might change at any time", "ExperimentalWarning");
      process.emitWarning("the moon is made of cheese", "ExperimentalWarning");
    })`;
    const nodeArgs = ["--import", `data:text/javascript,${encodeURIComponent(warnings)}`];
    const { code, stderr } = await start(makeFolder(), ["--version"], { nodeArgs }).ended;
    expect(code).toBe(0);
    expect(stderr).toContain("ExperimentalWarning: the moon is made of cheese");
    expect(stderr).not.toContain("SQLite");
  });
});
