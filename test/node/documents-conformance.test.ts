import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { openStore } from "../../src/node.ts";
import { documentStoreConformance } from "../conformance/document-store.ts";

vi.setConfig({ testTimeout: 60_000 });

// Every read goes to another thread than the writes before it, and must see them.
documentStoreConformance("of a store in threads", async () => {
  const dir = mkdtempSync(join(tmpdir(), "lodestore-node-"));
  const store = await openStore({ dir, readers: 1 });
  return {
    documents: store.documents,
    close: async () => {
      await store.close();
      rmSync(dir, { recursive: true });
    },
  };
});
