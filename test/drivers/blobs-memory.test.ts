import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { blobStoreConformance } from "../conformance/blob-store.ts";

blobStoreConformance("blobs-memory", async () => ({ blobs: new MemoryBlobStore(), close: async () => {} }));
