import type { StoreJobKind } from "../../src/contracts/jobs.ts";
import type { IngestFile } from "../../src/contracts/store.ts";

/** What a process works on that dies in the midst of it. */
export interface JobsOrder {
  /** Database file. */
  path: string;
  /** Folder of the snapshots. */
  blobs: string;
  work: StoreJobKind;
  /** After so many files, calls of the embedder, or tellings of progress. */
  at: number;
}

/** What it takes in. */
export function jobFiles(): IngestFile[] {
  return Array.from({ length: 200 }, (_, n) => ({ path: `${n}.md`, content: `# Note ${n}\n\nKiln ${n} glows.\n` }));
}
