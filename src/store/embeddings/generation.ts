import type { Embedder } from "../../contracts/embedder.ts";
import type { EmbeddingGeneration } from "../../contracts/embeddings.ts";
import { TEXT_VERSION } from "./embedding-text.ts";

/** Returns the generation that an embedder writes. The text that is embedded is part of it: were it composed otherwise, the
 *  vectors of one chunk would differ, so any but the first way of composing it makes another version. */
export function generationOf(
  embedder: Pick<Embedder, "modelId" | "modelVersion" | "dimensions">,
  textVersion: number = TEXT_VERSION,
): EmbeddingGeneration {
  const { modelId, dimensions } = embedder;
  const modelVersion = textVersion === 1 ? embedder.modelVersion : `${embedder.modelVersion}+text${textVersion}`;
  return { modelId, modelVersion, dimensions };
}

/** Parameters `$1` to `$3` of the statements about a generation. */
export function keyOf({ modelId, modelVersion, dimensions }: EmbeddingGeneration): [string, string, number] {
  return [modelId, modelVersion, dimensions];
}

/** Returns how messages name a generation. */
export function shown({ modelId, modelVersion, dimensions }: EmbeddingGeneration): string {
  return `"${modelId}" version "${modelVersion}" with ${dimensions} dimensions`;
}
