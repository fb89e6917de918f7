import type { BlobStore } from "../../src/contracts/blobs.ts";
import type { ChatSessions } from "../../src/contracts/chat.ts";
import type { DocumentStore } from "../../src/contracts/documents.ts";
import type { Jobs } from "../../src/contracts/jobs.ts";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlMemory } from "../../src/drivers/sql-memory.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import type { Store } from "../../src/contracts/store.ts";
import { SqlAnswers } from "../../src/store/answers/sql-answers.ts";
import { SqlChatSessions } from "../../src/store/chat/sql-chat-sessions.ts";
import { SqlDocumentStore } from "../../src/store/documents/sql-document-store.ts";
import { StoreJobs } from "../../src/store/jobs/store-jobs.ts";
import { answersConformance, type AnsweringStore } from "../conformance/answers.ts";
import { blobStoreConformance } from "../conformance/blob-store.ts";
import { chatSessionsConformance } from "../conformance/chat-sessions.ts";
import { documentStoreConformance } from "../conformance/document-store.ts";
import { evaluationsConformance } from "../conformance/evaluations.ts";
import { jobsConformance } from "../conformance/jobs.ts";
import { testSqlDatabase } from "../conformance/sql-database.ts";
import { suiteFunctions } from "../conformance/sql-functions.ts";
import { openTestStore } from "../support/open-test-store.ts";
import { sqlDatabases } from "../support/sql-databases.ts";
import { sendingJobs } from "../../src/rpc/sendable-jobs.ts";
import { StoreClient } from "../../src/rpc/store-client.ts";
import { servedHere } from "./served-here.ts";

const drivers: Record<string, () => Promise<SqlDatabase>> = {
  "sql-node": () => openSqlNode({ path: ":memory:", functions: suiteFunctions }),
  "sql-memory": () => openSqlMemory({ functions: suiteFunctions }),
};

for (const [driver, open] of Object.entries(drivers)) {
  testSqlDatabase(`${driver} over rpc`, async () => {
    const local = await open();
    const { proxy, terminate } = await servedHere<SqlDatabase>(local);
    return {
      db: proxy,
      cleanup: async () => {
        await local.close();
        terminate();
      },
    };
  });
}

blobStoreConformance("blobs-memory over rpc", async () => {
  const { proxy, terminate } = await servedHere<BlobStore>(new MemoryBlobStore());
  return { blobs: proxy, close: async () => terminate() };
});

evaluationsConformance("of a store over rpc", async () => {
  const { store } = await openTestStore();
  const client = new StoreClient(await servedHere<Store>(store));
  return { store: client, close: () => client.close() };
});

for (const { driver, open } of sqlDatabases) {
  answersConformance(`on ${driver} over rpc`, async () => {
    const db = await open();
    const documents = new SqlDocumentStore(db, new SqlBlobStore(db));
    const served = { answers: new SqlAnswers(db), chat: new SqlChatSessions(db), documents };
    const { proxy, terminate } = await servedHere<AnsweringStore>(served);
    return {
      store: { answers: proxy.answers, chat: proxy.chat, documents: proxy.documents },
      close: async () => {
        terminate();
        await db.close();
      },
    };
  });

  documentStoreConformance(`on ${driver} over rpc`, async () => {
    const db = await open();
    const store = { documents: new SqlDocumentStore(db, new SqlBlobStore(db)) };
    const { proxy, terminate } = await servedHere<{ documents: DocumentStore }>(store);
    return {
      documents: proxy.documents,
      close: async () => {
        terminate();
        await db.close();
      },
    };
  });

  chatSessionsConformance(`on ${driver} over rpc`, async () => {
    const db = await open();
    const store = { chat: new SqlChatSessions(db), documents: new SqlDocumentStore(db, new SqlBlobStore(db)) };
    const { proxy, terminate } = await servedHere<{ chat: ChatSessions; documents: DocumentStore }>(store);
    return {
      chat: proxy.chat,
      documents: proxy.documents,
      close: async () => {
        terminate();
        await db.close();
      },
    };
  });

  jobsConformance(`on ${driver} over rpc`, async () => {
    const db = await open();
    const store = { jobs: new StoreJobs(db), documents: new SqlDocumentStore(db, new SqlBlobStore(db)) };
    const { proxy, terminate } = await servedHere<{ jobs: Jobs; documents: DocumentStore }>(store);
    return {
      jobs: sendingJobs(proxy.jobs),
      documents: proxy.documents,
      close: async () => {
        terminate();
        await db.close();
      },
    };
  });

  documentStoreConformance(`on ${driver}, whose database is behind rpc`, async () => {
    const db = await open();
    const { proxy, terminate } = await servedHere<SqlDatabase>(db);
    return {
      documents: new SqlDocumentStore(proxy, new SqlBlobStore(proxy)),
      close: async () => {
        terminate();
        await db.close();
      },
    };
  });
}
