import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { SqlChatSessions } from "../../src/store/chat/sql-chat-sessions.ts";
import { SqlDocumentStore } from "../../src/store/documents/sql-document-store.ts";
import { chatSessionsConformance } from "../conformance/chat-sessions.ts";
import { openTestStore } from "../support/open-test-store.ts";
import { sqlDatabases } from "../support/sql-databases.ts";

for (const { driver, open } of sqlDatabases) {
  chatSessionsConformance(`on ${driver}`, async () => {
    const db = await open();
    const documents = new SqlDocumentStore(db, new SqlBlobStore(db));
    return { chat: new SqlChatSessions(db), documents, close: () => db.close() };
  });
}

chatSessionsConformance("of a store in process", async () => {
  const { store } = await openTestStore();
  return { chat: store.chat, documents: store.documents, close: () => store.close() };
});
