import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { SqlDocumentStore } from "../../src/store/documents/sql-document-store.ts";
import { documentStoreConformance } from "../conformance/document-store.ts";
import { sqlDatabases } from "../support/sql-databases.ts";

for (const { driver, open } of sqlDatabases) {
  documentStoreConformance(`on ${driver}`, async () => {
    const db = await open();
    return { documents: new SqlDocumentStore(db, new SqlBlobStore(db)), close: () => db.close() };
  });
}
