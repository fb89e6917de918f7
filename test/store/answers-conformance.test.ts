import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { SqlAnswers } from "../../src/store/answers/sql-answers.ts";
import { SqlChatSessions } from "../../src/store/chat/sql-chat-sessions.ts";
import { SqlDocumentStore } from "../../src/store/documents/sql-document-store.ts";
import { answersConformance } from "../conformance/answers.ts";
import { openTestStore } from "../support/open-test-store.ts";
import { sqlDatabases } from "../support/sql-databases.ts";

for (const { driver, open } of sqlDatabases) {
  answersConformance(`on ${driver}`, async () => {
    const db = await open();
    const documents = new SqlDocumentStore(db, new SqlBlobStore(db));
    const store = { answers: new SqlAnswers(db), chat: new SqlChatSessions(db), documents };
    return { store, close: () => db.close() };
  });
}

answersConformance("of a store in process", async () => {
  const { store } = await openTestStore();
  return { store, close: () => store.close() };
});
