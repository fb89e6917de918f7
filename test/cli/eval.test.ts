import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { EvalComparison, EvalQueryResult, EvalRun, EvalSuite, Page } from "../../src/node.ts";
import { openStore } from "../../src/node.ts";
import { EVAL_FILES, EVAL_SUITE } from "../support/eval-corpus.ts";
import { lodestore, lodestoreJson, makeFolder, start } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 120_000 });

const TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d UTC`;

describe("lodestore eval", () => {
  let folder: string;
  let runs: EvalRun[];
  const file = (name: string, content: string): void => writeFileSync(join(folder, name), content);
  const run = async (...args: string[]): Promise<EvalRun[]> =>
    (await lodestoreJson<{ runs: EvalRun[] }>(folder, "eval", "run", ...args)).runs;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lodestore-cli-eval-"));
    await using store = await openStore({
      dir: join(folder, ".lodestore"),
      vectors: "hnsw",
      embedder: { kind: "hashing" },
    });
    await store.ingest(EVAL_FILES, { embed: "wait" });
    const { name: _, ...suite } = EVAL_SUITE;
    file("kilns.json", JSON.stringify(suite));
    runs = [];
    for (const mode of ["lexical", "hybrid"] as const) {
      runs.push(await store.evaluations.run(EVAL_SUITE, { k: 3, label: "both", search: { mode } }));
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("run measures a suite of a file, in each mode, and says what may mislead", async () => {
    const both = await run("kilns.json", "-k", "3", "--mode", "lexical", "--mode", "hybrid", "--label", "both");
    expect(both).toMatchObject([
      {
        suite: "kilns",
        label: "both",
        status: "completed",
        config: { k: 3, search: { mode: "lexical" }, model: null },
      },
      {
        suite: "kilns",
        label: "both",
        config: { search: { mode: "hybrid", plainText: true }, model: { dimensions: 384 } },
      },
    ]);
    const { code, stdout, stderr } = await lodestore(folder, "eval", "run", "kilns.json", "-k", "3", "-q");
    expect([code, stderr]).toEqual([0, "1 relevant document is not in the store\n1 query found nothing\n"]);
    expect(both.map(({ aggregates }) => aggregates?.metrics)).toEqual(
      runs.map(({ aggregates }) => aggregates?.metrics),
    );
    const { ndcg, recall } = runs[0]!.aggregates!.metrics!;
    expect(stdout).toMatch(
      new RegExp(
        `^kilns\n[0-9a-f]{32}, lexical, ${TIME}, 4/4 queries\nnDCG@3 {9}${ndcg.toFixed(4)}\nrecall@3 {7}${recall.toFixed(4)}\nprecision@3 {4}0\\.\\d{4}\nMRR {12}0\\.5000\nMAP {12}0\\.\\d{4}\nover 3 queries; p50 .* ms, p95 .* ms, p99 .* ms\n$`,
      ),
    );
  });

  test("run takes a query a line, a list, and the judgements and topics of TREC; they measure the same", async () => {
    const queries = EVAL_SUITE.queries;
    file("lines.jsonl", `\uFEFF${queries.map((query) => JSON.stringify(query)).join("\r\n")}\n\n`);
    file("list.json", JSON.stringify(queries));
    file("topics.tsv", queries.map(({ id, text }) => `${id}\t${text}`).join("\n"));
    const lines = queries.flatMap(({ id, judgements, expected }) =>
      Object.entries(judgements ?? Object.fromEntries((expected ?? []).map((path) => [path, 1]))).map(
        ([path, grade]) => [id, path.replace(".md", ""), String(grade)],
      ),
    );
    file("four.txt", lines.map(([id, document, grade]) => `${id} 0  ${document} ${grade}`).join("\n"));
    file("three.tsv", `query-id\tcorpus-id\tscore\n${lines.map((fields) => fields.join("\t")).join("\n")}\n`);
    const trec = (qrels: string): string[] => ["--qrels", qrels, "--topics", "topics.tsv", "--paths", "{}.md"];
    for (const args of [["lines.jsonl"], ["list.json"], trec("four.txt"), trec("three.tsv")]) {
      const [one] = await run(...args, "-k", "3");
      expect(one?.suiteHash).toBe(runs[0]!.suiteHash);
      expect(one?.aggregates?.metrics).toEqual(runs[0]!.aggregates!.metrics);
    }
  });

  test("run keeps a suite with --save, by whose name it is run again", async () => {
    const [saved] = await run("kilns.json", "--save", "--stemming", "off", "--syntax", "--depth", "20");
    expect(saved?.config).toMatchObject({ depth: 20, search: { stemming: "off", plainText: false } });
    expect((await run("kilns"))[0]?.suiteHash).toBe(saved?.suiteHash);
    const suites = await lodestoreJson<Page<EvalSuite>>(folder, "eval", "list", "--suites");
    expect(suites.items).toMatchObject([{ name: "kilns", queryCount: 4 }]);
    const { stdout } = await lodestore(folder, "eval", "list", "--suites");
    expect(stdout).toBe("kilns  4 queries, judged by path\n");
  });

  test("list prints a line for each run, the last first, by suite and status, page by page", async () => {
    await run("kilns.json", "--label", "Last\u001B[2J");
    const { code, stdout, stderr } = await lodestore(folder, "eval", "list", "--limit", "1");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^[0-9a-f]{32} {2}${TIME} {2}lexical {2}nDCG@10 0\\.\\d{4} {2}kilns, Last␛\\[2J\n$`),
    );
    expect(stderr).toMatch(/^1 run\nThere is more: .* --cursor \S+\n$/);
    const page = await lodestoreJson<Page<EvalRun>>(
      folder,
      "eval",
      "list",
      "--suite",
      "kilns",
      "--status",
      "completed",
    );
    expect(page.items.map(({ id }) => id)).toEqual(expect.arrayContaining(runs.map(({ id }) => id)));
    expect((await lodestoreJson<Page<EvalRun>>(folder, "eval", "list", "--status", "failed")).items).toEqual([]);
  });

  test("show prints a run query by query", async () => {
    const [first] = runs;
    const { code, stdout, stderr } = await lodestore(folder, "eval", "show", first!.id, "--limit", "2");
    expect(code).toBe(0);
    expect(stdout).toContain(`kilns, both\n${first!.id}, lexical`);
    expect(stdout).toMatch(/\n\ngraded {2}nDCG@3 0\.\d{4} {2}kiln\n {4}a\.md\n {2}\+ b\.md\n {4}c\.md\n/);
    expect(stdout.endsWith("\nexpected  nDCG@3 1.0000  glaze\n  + e.md\n")).toBe(true);
    expect(stderr).toContain("--cursor");
    const shown = await lodestoreJson<Page<EvalQueryResult> & { run: EvalRun }>(folder, "eval", "show", first!.id);
    expect(shown.run).toEqual(first);
    expect(shown.items).toHaveLength(4);
  });

  test("compare prints means, wins and significance, and what gained and lost most", async () => {
    const [a, b] = runs as [EvalRun, EvalRun];
    const comparison = await lodestoreJson<EvalComparison>(folder, "eval", "compare", a.id, b.id, "--metric", "recall");
    expect(comparison).toMatchObject({ metric: "recall", queries: 3, a: { id: a.id }, b: { id: b.id } });
    const { code, stdout, stderr } = await lodestore(folder, "eval", "compare", a.id, b.id);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(
      /^nDCG@3 over 3 queries\nA {2}0\.\d{4} {2}both\nB {2}0\.\d{4} {2}both\nB - A {2}[+-]?0\.\d{4} {2}95 % of /,
    );
    expect(stdout).toMatch(/\np \d\.\d{4} \(paired randomisation, all signs\), \d\.\d{4} \(paired t-test\)\n/);
  });

  test("writes reports that stand for themselves", async () => {
    const [a, b] = runs as [EvalRun, EvalRun];
    expect((await lodestore(folder, "eval", "compare", a.id, b.id, "--html", "compare.html")).code).toBe(0);
    expect((await lodestore(folder, "eval", "show", a.id, "--html", "show.html")).code).toBe(0);
    expect((await lodestore(folder, "eval", "run", "kilns.json", "--html", "run.html")).code).toBe(0);
    for (const name of ["compare.html", "show.html", "run.html"]) {
      const page = readFileSync(join(folder, name), "utf8");
      expect(page).toMatch(/^<!doctype html>\s*<html lang="en">/);
      expect(page).toContain("Evaluation of kilns");
      expect(page).not.toMatch(/<script|https?:|url\(|@import/);
    }
    const { code, stderr } = await lodestore(folder, "eval", "show", a.id, "--html", "no/such/folder.html");
    expect([code, stderr]).toEqual([3, expect.stringContaining("no/such/folder.html cannot be written")]);
  });

  test("is cancelled by Ctrl-C, and keeps what is done", async () => {
    const queries = Array.from({ length: 10_000 }, (_, n) => ({ id: `${n}`, text: "kiln", expected: ["a.md"] }));
    file("long.json", JSON.stringify({ queries }));
    const { child, saysOnStderr, ended } = start(folder, ["eval", "run", "long.json"]);
    await saysOnStderr("queries, lexical");
    child.kill("SIGINT");
    expect(await ended).toMatchObject({
      code: 130,
      stdout: "",
      stderr: expect.stringContaining("cancelled") as string,
    });
    const page = await lodestoreJson<Page<EvalRun>>(folder, "eval", "list", "--suite", "long");
    expect(page.items).toMatchObject([{ status: "cancelled", aggregates: null }]);
  });

  test.each([
    [["eval"], 2, /"eval" is the first word of several commands\nThey are: lodestore eval run, .*eval compare\n$/],
    [["eval", "run"], 2, /no suite is given\n/],
    [["eval", "run", "gone.json"], 2, /gone\.json cannot be read/],
    [["eval", "run", "unknown"], 1, /there is no evaluation suite "unknown"\n/],
    [["eval", "run", "unknown", "--save"], 2, /there is no file unknown/],
    [["eval", "run", "bad.json"], 2, /bad\.json is not JSON/],
    [["eval", "run", "wrong.json"], 2, /suite\.queries\[0\] takes either judgements or expected/],
    [["eval", "run", "kilns.json", "--mode", "fuzzy"], 2, /--mode got "fuzzy"/],
    [["eval", "run", "kilns.json", "--mode", "vector", "--embedder", "none"], 2, /the embedder is none/],
    [["eval", "run", "kilns.json", "-k", "20", "--depth", "10"], 2, /--depth got "10"; it takes an integer from 20/],
    [["eval", "run", "--qrels", "x"], 2, /--qrels and --topics go together/],
    [["eval", "run", "kilns.json", "--paths", "{}"], 2, /--paths goes with/],
    [["eval", "run", "--qrels", "bad.json", "--topics", "bad.json"], 2, /bad\.json:1 got "\{ nothing"/],
    [["eval", "list", "kilns"], 2, /unexpected "kilns"\nTo choose a suite/],
    [["eval", "list", "--suites", "--suite", "x"], 2, /choose runs/],
    [["eval", "show"], 2, /no id of a run is given\n/],
    [["eval", "show", "unknown"], 1, /no evaluation run "unknown"\nAll runs: lodestore eval list\n$/],
    [["eval", "compare", "a"], 2, /takes two ids of runs, got 1\n/],
    [["eval", "compare", "a", "b"], 1, /no evaluation run "a"\n/],
    [["eval", "compare", "a", "b", "--metric", "f1"], 2, /--metric got "f1"/],
  ])("%j ends with %i and says why", async (args, exit, message) => {
    file("bad.json", "{ nothing");
    file("wrong.json", '{"queries":[{"id":"1","text":"x"}]}');
    const { code, stdout, stderr } = await lodestore(folder, ...args);
    expect([code, stdout]).toEqual([exit, ""]);
    expect(stderr).toMatch(message);
  });

  test("compare refuses runs of other queries, and says so", async () => {
    file("other.json", JSON.stringify({ queries: [{ id: "1", text: "kiln", expected: ["a.md"] }] }));
    const [other] = await run("other.json");
    const { code, stderr } = await lodestore(folder, "eval", "compare", runs[0]!.id, other!.id);
    expect(code).toBe(2);
    expect(stderr).toContain("the runs are of different suites");
  });

  test("makes no store where there is none", async () => {
    const { code, stderr } = await lodestore(makeFolder(), "eval", "list");
    expect([code, stderr]).toEqual([3, expect.stringContaining("there is no store in")]);
  });
});
