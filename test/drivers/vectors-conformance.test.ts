import { vectorStoreConformance } from "../conformance/vector-store.ts";
import { sqlDatabases } from "../support/sql-databases.ts";
import { vectorDrivers } from "../support/vector-drivers.ts";
import { builtKernel } from "../wasm/built-kernel.ts";

for (const { driver: sql, open: openDatabase } of sqlDatabases) {
  for (const { driver, recall, open } of vectorDrivers) {
    vectorStoreConformance(`${driver} on ${sql}`, recall, async () => {
      const db = await openDatabase();
      const vectors = open(db, builtKernel);
      const close = async (): Promise<void> => {
        await vectors.close();
        await db.close();
      };
      return { vectors, db, over: (executor) => vectors.over(executor), close };
    });
  }
}
