import { type CallSite, requireInteger } from "../../contracts/validate.ts";
import type { UpkeepPolicy } from "./table-upkeep.ts";

/** When tables are compacted and indexed; a store's own choice is measured in DESIGN.md. */
export interface LancePolicyOptions {
  /** Vectors above which there is an index, from 0; below it all are compared, which is exact. 5,000 by default. */
  indexAbove?: number;
  /** Writes after which a table is compacted, 1 to 10,000; 32 by default. */
  compactAfter?: number;
  /** How long old versions are kept for whoever reads them, in milliseconds, 1,000 to a week; ten minutes by default. No write and no
   *  search may take longer. */
  keepVersionsMs?: number;
}

/** Returns the policy with its defaults.
 *  @throws StorageError INVALID_INPUT */
export function checkLancePolicy(site: CallSite, options: LancePolicyOptions): UpkeepPolicy {
  const { indexAbove = 5000, compactAfter = 32, keepVersionsMs = 600_000 } = options;
  return {
    indexAbove: requireInteger(site, "indexAbove", indexAbove, 0, Number.MAX_SAFE_INTEGER),
    compactAfter: requireInteger(site, "compactAfter", compactAfter, 1, 10_000),
    keepVersionsMs: requireInteger(site, "keepVersionsMs", keepVersionsMs, 1000, 604_800_000),
  };
}
