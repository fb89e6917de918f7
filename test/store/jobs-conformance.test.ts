import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { SqlDocumentStore } from "../../src/store/documents/sql-document-store.ts";
import { StoreJobs } from "../../src/store/jobs/store-jobs.ts";
import { jobsConformance } from "../conformance/jobs.ts";
import { openTestStore } from "../support/open-test-store.ts";
import { sqlDatabases } from "../support/sql-databases.ts";

for (const { driver, open } of sqlDatabases) {
  jobsConformance(`on ${driver}`, async () => {
    const db = await open();
    const documents = new SqlDocumentStore(db, new SqlBlobStore(db));
    return { jobs: new StoreJobs(db), documents, close: () => db.close() };
  });
}

jobsConformance("of a store in process", async () => {
  const { store } = await openTestStore();
  return { jobs: store.jobs, documents: store.documents, close: () => store.close() };
});
