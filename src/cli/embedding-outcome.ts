import { type EmbeddingReport, StorageError } from "../node.ts";
import { counted, formatCount, formatDuration } from "./format.ts";
import { printable } from "./printable.ts";

/** Most failures that are printed. */
const MAX_PRINTED = 10;

/** What came of an embedding that a command waited for. */
export type EmbeddingOutcome = EmbeddingReport | StorageError | undefined;

/** Whether every passage has its embedding, as far as the run goes. */
export function isWhole(outcome: EmbeddingOutcome): boolean {
  return outcome === undefined || (!(outcome instanceof StorageError) && outcome.failed === 0);
}

/** Returns what came of an embedding, as lines for people. */
export function embeddingLines(outcome: EmbeddingOutcome): string[] {
  if (outcome === undefined) return [];
  if (outcome instanceof StorageError) {
    return [
      `Not embedded: ${printable(outcome.message)} [${outcome.code}]`,
      "  The documents are in and found by their words. To go on: lodestore embed",
    ];
  }
  const { embedded, failed, failures, modelId, modelVersion, dimensions, elapsedMs } = outcome;
  const model = `${printable(modelId)}, version ${printable(modelVersion)}, ${counted(dimensions, "dimension")}`;
  if (embedded === 0 && failed === 0) return [`Nothing to embed: every passage has its embedding (${model})`];
  const more = failed - Math.min(MAX_PRINTED, failures.length);
  return [
    `${counted(embedded, "passage")} embedded${failed > 0 ? `, ${formatCount(failed)} failed` : ""}, ${formatDuration(elapsedMs)} (${model})`,
    ...failures.slice(0, MAX_PRINTED).map(({ chunkId, reason }) => `  passage ${chunkId}: ${printable(reason)}`),
    ...(failed > 0 && more > 0 ? [`  … and ${formatCount(more)} more`] : []),
  ];
}

/** Returns what came of an embedding, as a program reads it. */
export function embeddingJson(outcome: EmbeddingOutcome): object | null {
  if (!(outcome instanceof StorageError)) return outcome ?? null;
  return { error: { code: outcome.code, message: outcome.message, operation: outcome.operation } };
}
