import type { RepairOptions } from "./store.ts";
import { type CallSite, invalidInput, requireBoolean, requireObject, requireSignal } from "./validate.ts";

/** Returns the options of a repair. */
export function checkRepairOptions(site: CallSite, options: unknown): RepairOptions & { dryRun: boolean } {
  const given = requireObject(site, "options", options, ["dryRun", "signal", "onProgress"]);
  const { dryRun, onProgress } = given;
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw invalidInput(site, "options.onProgress", onProgress, "a function");
  }
  const signal = requireSignal(site, options);
  return {
    dryRun: requireBoolean(site, "options.dryRun", dryRun ?? false),
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress: onProgress as NonNullable<RepairOptions["onProgress"]> }),
  };
}
