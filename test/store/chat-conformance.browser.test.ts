import { afterAll, expect, onTestFinished, test } from "vitest";
import { deleteStore, openStore } from "../../src/browser.ts";
import { deleteOpfsStore } from "../../src/drivers/sql-opfs.ts";
import { connect, type Connection } from "../../src/rpc/client.ts";
import { workerEndpoint } from "../../src/rpc/endpoint.ts";
import { chatSessionsConformance } from "../conformance/chat-sessions.ts";
import type { ChatHost } from "./chat-opfs-worker.ts";

let names = 0;
const freshName = (): string => `chat-${Date.now()}-${names++}`;

let shared: Promise<Connection<ChatHost>> | undefined;

afterAll(async () => (await shared)?.terminate());

chatSessionsConformance("on sql-opfs, in a worker", async () => {
  shared ??= connect<ChatHost>(
    workerEndpoint(new Worker(new URL("./chat-opfs-worker.ts", import.meta.url), { type: "module" })),
  );
  const name = freshName();
  const store = await (await shared).proxy.open(name);
  const close = async (): Promise<void> => {
    await store.close();
    await deleteOpfsStore(name);
  };
  return { chat: store.chat, documents: store.documents, close };
});

test("conversations are there when the store of a browser is opened again, with what they cite", async () => {
  const name = freshName();
  onTestFinished(() => deleteStore({ name }));
  const first = await openStore({ name });
  await first.ingest({ path: "kiln.md", content: "# Kiln\n\nCone 6 melts at 1222 degrees." });
  const { hits } = await first.search({ text: "cone" });
  const { id } = await first.chat.createSession({ title: "Kilns" });
  const citations = hits.map(({ chunkId }) => ({ chunkId }));
  const turn = await first.chat.appendTurn(id, { role: "assistant", text: "At 1222 degrees.", citations });
  await first.close();
  const again = await openStore({ name });
  expect(await again.openReport()).toMatchObject({ migrations: [], rebuilt: [] });
  expect((await again.chat.listSessions()).items).toMatchObject([{ id, title: "Kilns", turnCount: 1 }]);
  expect((await again.chat.listTurns(id)).items).toEqual([turn]);
  expect(turn.citations).toMatchObject([{ title: "Kiln", workspacePath: "kiln.md" }]);
  expect((await again.chat.searchTurns({ text: "1222" })).hits).toMatchObject([{ turnId: turn.id }]);
  await again.close();
});
