import type { Change, ChangeTopic, Store, SubscribeOptions } from "../node.ts";
import type { Command } from "./command.ts";
import { usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { counted } from "./format.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { openStoreToRead } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";

const TOPICS: readonly ChangeTopic[] = ["documents", "embeddings", "jobs", "chat", "answers", "evaluations"];

export const changesCommand: Command = {
  name: "changes",
  summary: "Print what changed in the store, or follow it",
  usage: "[options]",
  description: `Prints a line for each change that the store remembers, which are the newest
10,000 at least: its number, when, topic, what became of it, and the id. A
"reset" says that older ones were asked for: read what you need anew, and go on
from its number.

With --follow it goes on, also beside a program that writes the store, until
Ctrl-C. With --json it then prints one object a line.`,
  options: [
    {
      name: "since",
      value: "<n>",
      help: "Changes after this number. Default: all, and with\n--follow those from now on",
    },
    {
      name: "topic",
      value: "<t>",
      many: true,
      help: `${TOPICS.slice(0, 3).join(", ")},\n${TOPICS.slice(3).join(", ")}`,
    },
    { name: "follow", short: "f", help: "Wait for more" },
  ],
  examples: [
    ["lodestore changes --since 120 --topic documents", "What came after number 120"],
    ["lodestore changes --follow --json | jq .id", "For programs"],
  ],
  run: runChanges,
};

async function runChanges(args: Arguments, terminal: Terminal): Promise<number> {
  if (args.positionals.length > 0) {
    throw usageError(args.command, `unexpected "${args.positionals.join(" ")}"`, "The store is named by --db <dir>");
  }
  const topics = args.list("topic")?.map(topicOf(args));
  const since = args.integer("since", 0, Number.MAX_SAFE_INTEGER);
  const follow = args.has("follow");
  const asked = topics === undefined ? {} : { topics };
  return useStore(
    terminal,
    () => openStoreToRead(args, terminal),
    (store) =>
      follow ? followChanges(store, terminal, asked, since) : listChanges(store, terminal, topics, since ?? 0),
  );
}

async function listChanges(
  store: Store,
  terminal: Terminal,
  topics: readonly ChangeTopic[] | undefined,
  since: number,
): Promise<number> {
  const sequence = await store.changeSequence();
  const changes: Change[] = [];
  // All topics are read: only so is it seen that the newest is reached.
  if (sequence !== since) {
    for await (const change of store.subscribe({ since })) {
      if (change.topic === null || (topics?.includes(change.topic) ?? true)) changes.push(change);
      if (change.sequence >= sequence || change.kind === "reset") break;
    }
  }
  if (terminal.json) {
    terminal.printJson({ changes, sequence });
    return EXIT.ok;
  }
  if (changes.length > 0) terminal.print(...changes.map((change) => changeLine(change, terminal)));
  terminal.note(`${counted(changes.length, "change")}. What comes after: lodestore changes --since ${sequence}`);
  return EXIT.ok;
}

async function followChanges(
  store: Store,
  terminal: Terminal,
  asked: SubscribeOptions,
  since: number | undefined,
): Promise<number> {
  using interrupt = listenForInterrupt(() => {});
  const from = since ?? (await store.changeSequence());
  terminal.note(`Following from ${from}. Ctrl-C ends it.`);
  try {
    for await (const change of store.subscribe({ ...asked, since: from, signal: interrupt.signal })) {
      if (terminal.json) terminal.printJson(change);
      else terminal.print(changeLine(change, terminal));
    }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
  }
  return EXIT.cancelled;
}

function changeLine({ sequence, at, topic, kind, id, sessionId, turnIndex }: Change, terminal: Terminal): string {
  const place = turnIndex === undefined ? "" : `  turn ${turnIndex + 1} of ${printable(sessionId ?? "")}`;
  const facts = `${String(sequence).padStart(8)}  ${new Date(at).toISOString()}`;
  return `${terminal.dim(facts)}  ${(topic ?? "").padEnd(11)} ${kind.padEnd(8)}  ${printable(id ?? "")}${place}`.trimEnd();
}

function topicOf(args: Arguments): (text: string) => ChangeTopic {
  return (text) => {
    const topic = TOPICS.find((one) => one === text);
    if (topic !== undefined) return topic;
    throw usageError(args.command, `--topic got "${text}"; it takes ${TOPICS.join(", ")}`);
  };
}
