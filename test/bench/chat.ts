import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NewChatTurn } from "../../src/contracts/chat.ts";
import { openStore } from "../../src/node.ts";
import type { BenchPage } from "./browser/bench-page.ts";
import type { ChatTimes } from "./browser/chat-worker.ts";
import { type ChromiumSession, withChromium } from "./chromium-page.ts";
import { type BenchContext, type Figure, quantile } from "./report.ts";

declare global {
  // The benchmark page puts it there.
  var bench: BenchPage;
}

const TURNS = 2000;
const PER_SESSION = 40;
const DATASET = `${TURNS} turns of 20 to 400 words, ${TURNS / PER_SESSION} sessions`;

/** Appends of turns, each durable, and searches over them. */
export async function run(context: BenchContext): Promise<void> {
  const turns = conversation();
  const queries = turns.filter((_, n) => n % 20 === 0).map(({ text }) => text.split(" ").slice(3, 6).join(" "));
  context.progress("suite chat: node");
  report(context, { suite: "chat", case: "node, across a thread", dataset: DATASET }, await onNode(turns, queries));
  await withChromium("[]", async (session: ChromiumSession) => {
    context.progress("suite chat: chromium");
    const page = await session.freshPage();
    const task = { name: "chat", turns, perSession: PER_SESSION, queries };
    const times = await page.evaluate((given) => bench.chat(given), task);
    const platform = `chromium ${session.version}`;
    report(context, { suite: "chat", case: "chromium-opfs, in the worker", dataset: DATASET, platform }, times);
    await page.evaluate((name) => bench.remove(name), task.name);
  });
}

async function onNode(turns: readonly NewChatTurn[], queries: readonly string[]): Promise<ChatTimes> {
  const dir = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
  const times: ChatTimes = { appendMs: [], searchMs: [], bareMs: [] };
  try {
    await using store = await openStore({ dir, vectors: "flat" });
    let session = "";
    for (const [number, turn] of turns.entries()) {
      if (number % PER_SESSION === 0) session = (await store.chat.createSession({ title: `Session ${number}` })).id;
      times.appendMs.push(await timed(() => store.chat.appendTurn(session, turn)));
      if (number % 10 === 0) times.bareMs.push(await timed(() => store.documents.bumpCorpusRevision()));
    }
    for (const text of queries) times.searchMs.push(await timed(() => store.chat.searchTurns({ text })));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  return times;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function report(context: BenchContext, figure: Omit<Figure, "metric" | "value" | "unit">, times: ChatTimes): void {
  const baseline = quantile(times.bareMs, 0.5);
  for (const [name, q] of [
    ["p50", 0.5],
    ["p99", 0.99],
  ] as const) {
    const append = quantile(times.appendMs, q);
    const ratio = q === 0.5 ? { baseline, ratio: append / baseline } : {};
    context.report({ ...figure, metric: `durable append ${name}`, value: append, unit: "ms", ...ratio });
    context.report({ ...figure, metric: `search ${name}`, value: quantile(times.searchMs, q), unit: "ms" });
  }
}

/** Turns of made-up words, the frequent ones as frequent as in a language; the same in every run. */
function conversation(): NewChatTurn[] {
  let random = 7;
  const next = (): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return random / 2 ** 32;
  };
  const word = (): string => `w${Math.floor(20_000 ** next())}`;
  return Array.from({ length: TURNS }, (_, number) => ({
    role: number % 2 === 0 ? "user" : "assistant",
    text: Array.from({ length: number % 2 === 0 ? 20 : 20 + Math.floor(380 * next()) }, word).join(" "),
    model: number % 2 === 0 ? null : "model-1",
    citations: number % 2 === 0 ? [] : [1, 2, 3].map((n) => citation(number, n)),
  }));
}

function citation(turn: number, n: number): NonNullable<NewChatTurn["citations"]>[number] {
  return {
    chunkId: `${turn}-${n}`.padEnd(32, "0"),
    documentId: String(turn).padEnd(32, "0"),
    title: `Guide ${n}`,
    workspacePath: `guides/part-${turn % 50}/page-${n}.md`,
    headingPath: [`Guide ${n}`, "How it is done"],
    span: { kind: "line", start: 10 * n, end: 10 * n + 7 },
  };
}
