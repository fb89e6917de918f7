import type { ChatTurn, NewChatTurn } from "../../../src/contracts/chat.ts";
import { SqlBlobStore } from "../../../src/drivers/blobs-sql.ts";
import { openSqlOpfs } from "../../../src/drivers/sql-opfs.ts";
import { storeFunctions } from "../../../src/store/schema-functions.ts";
import { createStore } from "../../../src/store/store.ts";

/** What is to be measured: turns that are appended, one after the other, to a store in this worker. */
export interface ChatTask {
  name: string;
  turns: readonly NewChatTurn[];
  /** Turns a session. */
  perSession: number;
  /** Searches, once all turns are in. */
  queries: readonly string[];
}

/** Milliseconds of each call, inside the worker. */
export interface ChatTimes {
  appendMs: number[];
  searchMs: number[];
  /** The smallest durable write: one row of one table. */
  bareMs: number[];
}

self.onmessage = async (event: MessageEvent<ChatTask>): Promise<void> => {
  try {
    self.postMessage(await measure(event.data));
  } catch (error) {
    self.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
};

async function measure({ name, turns, perSession, queries }: ChatTask): Promise<ChatTimes> {
  const db = await openSqlOpfs({ name, functions: storeFunctions });
  await using store = await createStore({ db, blobs: new SqlBlobStore(db) });
  const times: ChatTimes = { appendMs: [], searchMs: [], bareMs: [] };
  let session = "";
  for (const [number, turn] of turns.entries()) {
    if (number % perSession === 0) session = (await store.chat.createSession({ title: `Session ${number}` })).id;
    times.appendMs.push(await timed<ChatTurn>(() => store.chat.appendTurn(session, turn)));
    if (number % 10 === 0) times.bareMs.push(await timed(() => store.documents.bumpCorpusRevision()));
  }
  for (const text of queries) times.searchMs.push(await timed(() => store.chat.searchTurns({ text })));
  return times;
}

async function timed<T>(work: () => Promise<T>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
