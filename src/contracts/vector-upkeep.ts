import type { VectorStore } from "./vectors.ts";

/** What an index in memory has others write whose own connection to the database only reads. */
export interface VectorUpkeep {
  /** Deletes the changes of a generation up to this one from the log: a snapshot stands for them. */
  pruneLog(generationKey: number, revision: number): Promise<void>;
  /** Refuses every snapshot of a generation that is older, for good.
   *  @param before Milliseconds since 1970. */
  refuseSnapshots(generationKey: number, before: number): Promise<void>;
}

/** What only whoever keeps the indexes in memory can do. */
export type VectorIndexWork = Pick<VectorStore, "info" | "rebuild" | "examine" | "selfCheck" | "flush">;

/** Keeps the indexes over the tables that another connection writes. */
export interface VectorKeeper extends VectorIndexWork {
  /** Vectors were written and are committed. */
  written(indexId: string, modelVersion: string): void;
}
