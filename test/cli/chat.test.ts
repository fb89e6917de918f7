import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type ChatSearchResult, type ChatSession, type ChatTurn, openStore, type Page } from "../../src/node.ts";
import { lodestore, lodestoreJson, makeFolder } from "./run-lodestore.ts";

vi.setConfig({ testTimeout: 60_000 });

const GUIDE = { path: "guides/kiln.md", content: "# Kiln guide\n\n## Cones\n\nCone 6 melts at 1222 degrees.\n" };
const TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d UTC`;

interface Talk {
  folder: string;
  kilns: string;
  other: string;
}

/** A folder whose store holds two conversations. */
async function talk(): Promise<Talk> {
  const folder = mkdtempSync(join(tmpdir(), "lodestore-cli-chat-"));
  await using store = await openStore({ dir: join(folder, ".lodestore"), vectors: "hnsw", embedOnOpen: false });
  await store.ingest(GUIDE);
  const { hits } = await store.search({ text: "1222" });
  const kilns = (await store.chat.createSession({ title: "Kilns\u001B[2J 窯" })).id;
  await store.chat.appendTurn(kilns, { role: "user", text: "How hot is cone 6?" });
  const citations = hits.map(({ chunkId }) => ({ chunkId }));
  const text = "It melts at 1222 degrees.\n\nSlowly,\u001B[31m 東京 as ever.";
  await store.chat.appendTurn(kilns, { role: "assistant", model: "m-1", text, citations });
  const other = (await store.chat.createSession()).id;
  await store.chat.appendTurn(other, { role: "system", text: "Be short. Nothing melts." });
  return { folder, kilns, other };
}

describe("lodestore chat", () => {
  let folder: string;
  let kilns: string;
  let other: string;
  beforeAll(async () => {
    ({ folder, kilns, other } = await talk());
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("list prints a line for each conversation, the most recent first, page by page", async () => {
    const { code, stdout, stderr } = await lodestore(folder, "chat", "list");
    expect([code, stderr]).toEqual([0, "2 conversations\n"]);
    const [first, second, ...rest] = stdout.split("\n");
    expect(first).toMatch(new RegExp(`^${other} {2}${TIME} {3}1 turn$`));
    expect(second).toMatch(new RegExp(`^${kilns} {2}${TIME} {2}2 turns {2}Kilns␛\\[2J 窯$`));
    expect(rest).toEqual([""]);
    const page = await lodestoreJson<Page<ChatSession>>(folder, "chat", "list", "--limit", "1");
    expect(page.items).toMatchObject([{ id: other, title: null, turnCount: 1 }]);
    const cursor = page.nextCursor ?? "";
    expect((await lodestore(folder, "chat", "list", "--limit", "1")).stderr).toContain(`--cursor ${cursor}`);
    const next = await lodestoreJson<Page<ChatSession>>(folder, "chat", "list", "--cursor", cursor);
    expect(next.items.map(({ id }) => id)).toEqual([kilns]);
  });

  test("show prints what was said and what it cites, harmless to a terminal", async () => {
    const { code, stdout, stderr } = await lodestore(folder, "chat", "show", kilns);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.replaceAll(new RegExp(TIME, "g"), "(time)")).toBe(`Kilns␛[2J 窯
${kilns}, begun (time), 2 turns

1. user  (time)
How hot is cone 6?

2. assistant (m-1)  (time)
It melts at 1222 degrees.

Slowly,␛[31m 東京 as ever.
[1] Kiln guide › Cones  guides/kiln.md:1-5
`);
  });

  test("show prints the newest turns, and goes on", async () => {
    const args = ["chat", "show", kilns, "--newest", "--limit", "1"];
    const shown = await lodestoreJson<Page<ChatTurn> & { session: ChatSession }>(folder, ...args);
    expect(shown).toMatchObject({ session: { id: kilns, turnCount: 2 }, items: [{ index: 1, role: "assistant" }] });
    const next = await lodestoreJson<Page<ChatTurn>>(folder, ...args, "--cursor", shown.nextCursor ?? "");
    expect(next.items.map(({ index }) => index)).toEqual([0]);
    expect(next.nextCursor).toBeUndefined();
  });

  test("search finds turns in any script, in one conversation, of one role", async () => {
    const { code, stdout, stderr } = await lodestore(folder, "chat", "search", "melt", "degrees", "-k", "1");
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^There is more: .* --cursor \S+\n$/)]);
    expect(stdout).toMatch(
      new RegExp(
        `^Kilns␛\\[2J 窯\n {2}${kilns} {2}turn 2, assistant, ${TIME}\n {2}It melts at 1222 degrees\\. .*\n\n$`,
      ),
    );
    const found = async (...args: string[]): Promise<string[]> => {
      const { hits } = await lodestoreJson<ChatSearchResult>(folder, "chat", "search", ...args);
      return hits.map(({ sessionId, index }) => `${sessionId === kilns ? "kilns" : "other"} ${index}`).toSorted();
    };
    expect(await found("melt")).toEqual(["kilns 1", "other 0"]);
    expect(await found("melt", "--session", other)).toEqual(["other 0"]);
    expect(await found("melt", "--role", "assistant")).toEqual(["kilns 1"]);
    expect(await found("東京")).toEqual(["kilns 1"]);
    const none = await lodestore(folder, "chat", "search", "celadon");
    expect(none).toMatchObject({ code: 1, stdout: "", stderr: "Nothing found for: celadon\n" });
  });

  test("export writes JSON with everything, or Markdown to read, as it is", async () => {
    const json = await lodestore(folder, "chat", "export", kilns);
    expect([json.code, json.stderr]).toEqual([0, ""]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      format: "lodestore-chat",
      session: { id: kilns },
      turns: [{}, {}],
    });
    expect(json.stdout.startsWith("{\n")).toBe(true);
    expect(await lodestoreJson(folder, "chat", "export", kilns)).toEqual(JSON.parse(json.stdout));
    const { stdout } = await lodestore(folder, "chat", "export", kilns, "--markdown");
    expect(stdout).toContain("## Assistant (m-1)\n");
    expect(stdout).toContain("Slowly,\u001B[31m 東京 as ever.\n\n[^2-1]: Kiln guide › Cones › `guides/kiln.md:1-5`\n");
  });

  test.each([
    [["chat"], 2, /"chat" is the first word of several commands\nThey are: lodestore chat list, .*chat export\n$/],
    [["chat", "list", "kilns"], 2, /unexpected "kilns"\nTo find what was said: lodestore chat search\n$/],
    [["chat", "show"], 2, /no id of a conversation is given\nTheir ids: lodestore chat list\n$/],
    [["chat", "show", "a", "b"], 2, /takes one id, got 2\n/],
    [["chat", "show", "unknown"], 1, /no conversation "unknown"\nAll conversations: lodestore chat list\n$/],
    [["chat", "export", "unknown"], 1, /no conversation "unknown"\n/],
    [["chat", "export", "x", "--markdown", "--json"], 2, /two formats/],
    [["chat", "search"], 2, /no query is given\n/],
    [["chat", "search", "x", "--role", "bot"], 2, /--role got \\?"bot/],
    [["chat", "search", "x", "-y"], 2, /go after "--"/],
  ])("%j ends with %i and says why", async (args, exit, message) => {
    const { code, stdout, stderr } = await lodestore(folder, ...args);
    expect([code, stdout]).toEqual([exit, ""]);
    expect(stderr).toMatch(message);
  });

  test("makes no store where there is none", async () => {
    const { code, stderr } = await lodestore(makeFolder(), "chat", "list");
    expect(code).toBe(3);
    expect(stderr).toContain("there is no store in");
  });
});
