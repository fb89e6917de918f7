import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlOpfs } from "../../src/drivers/sql-opfs.ts";
import { workerScopeEndpoint } from "../../src/rpc/endpoint.ts";
import { serve } from "../../src/rpc/server.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import { crashLoop, killAt } from "./crash-loop.ts";
import type { CrashLine, CrashOrder } from "./crash-steps.ts";
import { hookedDatabase, hookedVectorsWith } from "./hooked-store.ts";
import { TestEmbedder } from "./test-embedder.ts";
import type { OpenedParts } from "./visible-chunks.ts";

/** A worker that works on a store in OPFS until it is terminated, or that opens it for looking at what is left. */
export class CrashHost {
  async open(file: string, apart: boolean, version: string): Promise<OpenedParts> {
    const kernel = await compileKernel();
    const db = await openSqlOpfs({ name: file, functions: storeFunctions });
    const vectors = hookedVectorsWith(kernel, db, apart, () => {});
    const embedder = new TestEmbedder(version, 3);
    const store = await createStore({ db, blobs: new SqlBlobStore(db), vectors, embedder, embedOnOpen: false });
    return { store, db, vectors };
  }

  /** Works until the page terminates the worker, which it does on hearing of the step; that step never goes on. */
  async loop(order: CrashOrder, say: (line: CrashLine) => Promise<void>): Promise<void> {
    const kernel = await compileKernel();
    const hook = killAt(order, async (step) => {
      await say({ killed: step });
      return new Promise(() => {});
    });
    await crashLoop({
      order,
      say,
      open: async (embedder, embedOnOpen) => {
        const db = await openSqlOpfs({ name: order.file, functions: storeFunctions });
        const vectors = hookedVectorsWith(kernel, db, order.apart, hook);
        return createStore({
          db: hookedDatabase(db, hook),
          blobs: new SqlBlobStore(db),
          vectors,
          embedder,
          embedOnOpen,
        });
      },
    });
  }
}

async function compileKernel(): Promise<WebAssembly.Module> {
  return WebAssembly.compileStreaming(fetch(new URL("../../wasm/hnsw.wasm", import.meta.url)));
}

serve(workerScopeEndpoint(), new CrashHost());
