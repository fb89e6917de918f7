export { StorageError } from "./errors.ts";
export type { StorageCapability, StorageErrorCode, StorageErrorContext } from "./errors.ts";
export type * from "./contracts/answers.ts";
export type * from "./contracts/archive.ts";
export type * from "./contracts/assets.ts";
export type * from "./contracts/blobs.ts";
export type * from "./contracts/changes.ts";
export type * from "./contracts/chat.ts";
export type * from "./contracts/documents.ts";
export type * from "./contracts/embedder.ts";
export type * from "./contracts/embeddings.ts";
export type * from "./contracts/jobs.ts";
export type * from "./contracts/evaluations.ts";
export type * from "./contracts/search.ts";
export type * from "./contracts/sql.ts";
export type * from "./contracts/store.ts";
export type * from "./contracts/upkeep.ts";
export type * from "./contracts/vectors.ts";
export { type CitationMarker, type GroundedCitations, groundCitations } from "./store/answers/ground-citations.ts";
export { packChunks, type PackedContext, type PackedSource, type PackOptions } from "./store/answers/pack-chunks.ts";
export {
  type EvaluationReport,
  evaluationReport,
  type ReportedRun,
} from "./store/evaluation/report/evaluation-report.ts";
