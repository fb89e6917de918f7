import type { VectorOpenReport } from "../../contracts/vectors.ts";
import { ofVersion } from "./key-condition.ts";
import type { LiveTable } from "./live-table.ts";

/** What reading each generation for the first time, or making its index anew, did. */
export class OpenReports {
  readonly #reports = new Map<string, VectorOpenReport>();
  readonly #onOpen: (live: LiveTable) => void;

  /** @param onOpen Told of a table of which a generation is read for the first time. */
  constructor(onOpen: (live: LiveTable) => void) {
    this.#onOpen = onOpen;
  }

  all(): VectorOpenReport[] {
    return [...this.#reports.values()];
  }

  /** Notes that a generation is read. */
  async noteRead(live: LiveTable, modelVersion: string, operation: string): Promise<void> {
    if (this.#reports.has(keyOf(live, modelVersion))) return;
    const start = performance.now();
    const vectors = await live.count(operation, ofVersion(modelVersion));
    if (this.#reports.has(keyOf(live, modelVersion))) return;
    this.#note(live, modelVersion, { source: "stored", reason: null, vectors, elapsedMs: performance.now() - start });
    this.#onOpen(live);
  }

  /** Notes that the index over a generation was made anew. */
  noteRebuilt(live: LiveTable, modelVersion: string, vectors: number, elapsedMs: number): void {
    this.#note(live, modelVersion, { source: "rebuilt", reason: "it was asked for", vectors, elapsedMs });
  }

  #note(
    live: LiveTable,
    modelVersion: string,
    found: Pick<VectorOpenReport, "source" | "reason" | "vectors" | "elapsedMs">,
  ): void {
    const { tableName } = live.entry;
    this.#reports.set(keyOf(live, modelVersion), { tableName, modelVersion, replayed: 0, ...found });
  }
}

function keyOf({ entry }: LiveTable, modelVersion: string): string {
  return `${entry.indexId} ${modelVersion}`;
}
