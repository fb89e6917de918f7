import type { Embedder } from "../../contracts/embedder.ts";
import { StorageError } from "../../errors.ts";

/** What an embedder threw, as an error of its capability: a caller's own may throw anything. */
export function embedderError(embedder: Embedder, thrown: unknown): StorageError {
  if (thrown instanceof StorageError) return thrown;
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  return new StorageError("DRIVER", `the embedding model ${JSON.stringify(embedder.modelId)} failed: ${said}`, {
    capability: "embedder",
    operation: "embed",
    cause: thrown,
  });
}
