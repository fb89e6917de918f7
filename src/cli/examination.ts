import type { CheckFinding, OpenReport, RepairReport, StoreStats } from "../node.ts";

/** What `doctor` found. */
export interface Examination {
  /** Whether all is well now. */
  ok: boolean;
  /** Folder of the store, absolute. */
  folder: string;
  /** What is found now: after the repair, where one was made. */
  findings: CheckFinding[];
  /** `null` when the store could not be opened. */
  openReport: OpenReport | null;
  /** `null` when damage keeps it from being read. */
  stats: StoreStats | null;
  /** What was repaired and what is left, where that was asked for. */
  fix?: Omit<RepairReport, "check">;
}
