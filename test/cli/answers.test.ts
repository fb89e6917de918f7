import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Answer, openStore, packChunks, type Page } from "../../src/node.ts";
import { lodestore, lodestoreJson, makeFolder } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 60_000 });

const GUIDE = { path: "guides/kiln.md", content: "# Kiln guide\n\n## Cones\n\nCone 6 melts at 1222 degrees.\n" };
const TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d UTC`;

describe("lodestore answers", () => {
  let folder: string;
  let grounded: Answer;
  let refused: Answer;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lodestore-cli-answers-"));
    await using store = await openStore({ dir: join(folder, ".lodestore"), vectors: "hnsw", embedOnOpen: false });
    await store.ingest(GUIDE);
    const { hits } = await store.search({ text: "1222" });
    const chunks = await store.documents.getChunks(hits.map(({ chunkId }) => chunkId));
    const { packedChunks } = packChunks(hits, chunks, { maxTokens: 500 });
    grounded = await store.answers.record({
      query: "How hot\u001B[2J is cone 6?",
      mode: "lexical",
      text: "It melts at 1222 degrees [1].\n\nSlowly.",
      citations: hits.map(({ chunkId }) => ({ chunkId })),
      packedChunks,
      model: "m-1",
      latencyMs: 1200,
    });
    refused = await store.answers.record({
      query: "Why?",
      mode: "lexical",
      text: "",
      outcome: "refused",
      refusalReason: "nothing says so",
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("list prints a line for each answer, the newest first, page by page", async () => {
    const { code, stdout, stderr } = await lodestore(folder, "answers", "list");
    expect([code, stderr]).toEqual([0, "2 answers\n"]);
    const [first, second, ...rest] = stdout.split("\n");
    expect(first).toMatch(new RegExp(`^${refused.id} {2}${TIME} {2}refused {5}Why\\?$`));
    expect(second).toMatch(
      new RegExp(`^${grounded.id} {2}${TIME} {2}grounded {4}\\(m-1\\) How hot␛\\[2J is cone 6\\?$`),
    );
    expect(rest).toEqual([""]);
    const page = await lodestoreJson<Page<Answer>>(folder, "answers", "list", "--limit", "1");
    expect(page.items).toEqual([refused]);
    const next = await lodestoreJson<Page<Answer>>(
      folder,
      "answers",
      "list",
      "--limit",
      "1",
      "--cursor",
      page.nextCursor!,
    );
    expect(next).toEqual({ items: [grounded] });
  });

  test("list holds to outcome, model and time", async () => {
    const ids = async (...args: string[]): Promise<string[]> =>
      (await lodestoreJson<Page<Answer>>(folder, "answers", "list", ...args)).items.map(({ id }) => id);
    expect(await ids("--outcome", "grounded")).toEqual([grounded.id]);
    expect(await ids("--model", "m-2")).toEqual([]);
    expect(await ids("--after", "2020-01-01")).toEqual([refused.id, grounded.id]);
    expect(await ids("--before", "2020-01-01")).toEqual([]);
  });

  test("show prints an answer with its sources, and all of it for programs", async () => {
    const { code, stdout } = await lodestore(folder, "answers", "show", grounded.id);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(
        `^How hot␛\\[2J is cone 6\\?\\ngrounded by m-1, ${TIME}, 1\\.2 s, 1 passage before the model, corpus revision 1\\n\\n` +
          String.raw`It melts at 1222 degrees \[1\]\.\n\nSlowly\.\n\[1\] Kiln guide › Cones  guides/kiln\.md:\d+-\d+\n$`,
      ),
    );
    expect((await lodestore(folder, "answers", "show", refused.id)).stdout).toContain(
      "refused because: nothing says so",
    );
    expect(await lodestoreJson<Answer>(folder, "answers", "show", grounded.id)).toEqual(grounded);
  });

  test.each([
    [["list", "more"], 2, 'unexpected "more"'],
    [["list", "--outcome", "good"], 2, '--outcome got "good"'],
    [["list", "--after", "soon"], 2, "soon"],
    [["show"], 2, "no id of an answer is given"],
    [["show", "0".repeat(32)], 1, `the store has no answer "${"0".repeat(32)}"`],
  ])("%s is refused with what to do", async (args, code, message) => {
    const outcome = await lodestore(folder, "answers", ...args);
    expect(outcome).toMatchObject({ code, stdout: "" });
    expect(outcome.stderr).toContain(message);
  });

  test("there is no store to list the answers of", async () => {
    expect(await lodestore(makeFolder(), "answers", "list")).toMatchObject({ code: 3, stdout: "" });
  });
});
