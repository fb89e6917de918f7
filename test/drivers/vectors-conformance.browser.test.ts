import { openSqlMemory } from "../../src/drivers/sql-memory.ts";
import { loadKernel } from "../../src/drivers/vectors/load-kernel.ts";
import { migrate } from "../../src/sql/migrate.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { vectorStoreConformance } from "../conformance/vector-store.ts";
import { vectorDrivers } from "../support/vector-drivers.ts";

const kernel = loadKernel(new URL("../../wasm/hnsw.wasm", import.meta.url));

for (const { driver, recall, open } of vectorDrivers) {
  vectorStoreConformance(`${driver} on sql-memory in a page`, recall, async () => {
    const db = await openSqlMemory({ functions: storeFunctions });
    await migrate(db);
    const vectors = open(db, await kernel);
    const close = async (): Promise<void> => {
      await vectors.close();
      await db.close();
    };
    return { vectors, db, over: (executor) => vectors.over(executor), close };
  });
}
