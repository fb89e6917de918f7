import type { VectorIndexWork } from "../contracts/vector-upkeep.ts";
import { StorageError } from "../errors.ts";

/** What a thread that keeps no vector indexes serves in their place: it is asked for none, and says so if it is. */
export const NO_INDEXES: VectorIndexWork = {
  info: keptElsewhere,
  rebuild: keptElsewhere,
  examine: keptElsewhere,
  selfCheck: keptElsewhere,
  flush: keptElsewhere,
};

async function keptElsewhere(): Promise<never> {
  const context = { capability: "vectors", operation: "indexes" } as const;
  throw new StorageError("UNSUPPORTED", "another thread keeps the indexes", context);
}
