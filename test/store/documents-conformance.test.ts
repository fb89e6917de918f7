import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { ExternalAssets } from "../../src/store/documents/external-assets.ts";
import { SqlDocumentStore } from "../../src/store/documents/sql-document-store.ts";
import { documentStoreConformance } from "../conformance/document-store.ts";
import { sqlDatabases } from "../support/sql-databases.ts";

for (const { driver, open } of sqlDatabases) {
  documentStoreConformance(`on ${driver}`, async () => {
    const db = await open();
    return { documents: new SqlDocumentStore(db, new SqlBlobStore(db)), close: () => db.close() };
  });

  documentStoreConformance(`on ${driver}, large bytes beside it`, async () => {
    const db = await open();
    const external = new ExternalAssets(db, new MemoryBlobStore());
    return { documents: new SqlDocumentStore(db, new SqlBlobStore(db), "compact", external), close: () => db.close() };
  });
}
