import type { VectorStore } from "../../src/contracts/vectors.ts";
import { vectorStoreConformance } from "../conformance/vector-store.ts";
import { sqlDatabases } from "../support/sql-databases.ts";
import { vectorDrivers } from "../support/vector-drivers.ts";
import { builtKernel } from "../wasm/built-kernel.ts";
import { servedHere } from "./served-here.ts";

const [{ open: openDatabase }] = sqlDatabases as [(typeof sqlDatabases)[number]];

// The exact store and the graph: what lies between them and the boundary is the same.
for (const { driver, recall, open } of [vectorDrivers.at(0), vectorDrivers.at(-1)].filter((one) => one !== undefined)) {
  vectorStoreConformance(`${driver} over rpc`, recall, async () => {
    const db = await openDatabase();
    const local = open(db, builtKernel);
    const { proxy, terminate } = await servedHere<VectorStore>(local);
    const close = async (): Promise<void> => {
      terminate();
      await local.close();
      await db.close();
    };
    return { vectors: proxy, db, over: (executor) => local.over(executor), close };
  });
}
