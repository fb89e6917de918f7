import { vectorStoreConformance } from "../conformance/vector-store.ts";
import { lanceVectors, temporaryFolder } from "../support/lance-vectors.ts";
import { sqlDatabases } from "../support/sql-databases.ts";

const [{ open: openDatabase }] = sqlDatabases as [(typeof sqlDatabases)[number]];

for (const { name, recall, options } of [
  { name: "vectors-lance", recall: 1, options: {} },
  { name: "vectors-lance with its index", recall: 0.95, options: { indexAbove: 16, compactAfter: 2 } },
]) {
  vectorStoreConformance(`${name} on sql-node`, recall, async () => {
    const db = await openDatabase();
    const folder = temporaryFolder();
    const vectors = lanceVectors(db, folder.path, options);
    const close = async (): Promise<void> => {
      await vectors.close();
      await db.close();
      folder.remove();
    };
    return { vectors, db, close };
  });
}
