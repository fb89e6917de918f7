import type { StoreStats, VectorExamination, VectorTableExamination } from "../node.ts";
import { counted, formatBytes, formatCount, formatDuration } from "./format.ts";
import { printable } from "./printable.ts";

/** Returns the vector tables of a store, their indexes and snapshots, as lines for people.
 *  @param now Milliseconds since 1970. */
export function indexLines({ vectors }: StoreStats, tables: readonly VectorTableExamination[], now: number): string[] {
  return [
    ...(vectors === null ? [] : [`Vectors: ${vectors.driver}`]),
    ...tables.flatMap(({ tableName, metric, dimensions, generations }) => [
      `Index ${printable(tableName)}: ${metric}, ${counted(dimensions, "dimension")}`,
      ...generations.flatMap((one) => generationLines(one, now)),
    ]),
  ];
}

function generationLines(examination: VectorExamination, now: number): string[] {
  const { modelVersion, vectors, vectorBytes, problem } = examination;
  return [
    `  version ${printable(modelVersion)}: ${counted(vectors, "vector")}, ${engine(examination)}`,
    ...memoryLines(examination),
    `    stored vectors ${formatBytes(vectorBytes)}`,
    `    ${snapshotText(examination, now)}`,
    ...(problem === null ? [] : [`    out of step: ${printable(problem)}; lodestore doctor --fix`]),
  ];
}

function engine({ index }: VectorExamination): string {
  if (index === null) return "not loaded: without a snapshot that takes long; lodestore reindex makes one";
  const { linked, unlinked, quantization } = index;
  const how =
    index.engine === "flat" ? "scanned" : `walked, ${formatCount(linked)} linked, ${formatCount(unlinked)} not yet`;
  return `${index.engine} (${how}), ${quantization}`;
}

function memoryLines({ index }: VectorExamination): string[] {
  if (index === null) return [];
  const nodes = index.levels.map((count, level) => `${level}: ${formatCount(count)}`).join(", ");
  const kept = index.resident ? ", full vectors in memory" : "";
  return [
    ...(index.levels.length === 0 ? [] : [`    nodes by level: ${nodes}`]),
    `    memory ${formatBytes(index.memoryBytes)}${kept}`,
  ];
}

function snapshotText({ snapshot }: VectorExamination, now: number): string {
  if (snapshot === null) return "no snapshot";
  const { sizeBytes, revision, createdAt, behind, problem } = snapshot;
  const parts = [
    `snapshot ${formatBytes(sizeBytes)}`,
    ...(createdAt === null ? [] : [age(now - createdAt)]),
    ...(revision === null ? [] : [`at change ${formatCount(revision)}, ${counted(behind, "newer change")}`]),
    ...(problem === null ? [] : [`not usable: ${printable(problem)}`]),
  ];
  return parts.join(", ");
}

/** A clock that was set back makes no snapshot younger than new. */
function age(ms: number): string {
  const days = Math.floor(ms / 86_400_000);
  return days > 1 ? `${formatCount(days)} days old` : `${formatDuration(Math.max(0, ms))} old`;
}
