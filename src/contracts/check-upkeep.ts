import type { TextIndexOptions } from "./documents.ts";
import type { StatsOptions, VacuumOptions } from "./upkeep.ts";
import {
  type CallSite,
  invalidInput,
  requireBoolean,
  requireInteger,
  requireObject,
  requireSignal,
} from "./validate.ts";

/** Returns the options of `stats`. */
export function checkStatsOptions(options: unknown): Required<StatsOptions> {
  const site: CallSite = { capability: "store", operation: "stats" };
  const given = requireObject(site, "options", options, ["sizes"]);
  return { sizes: requireBoolean(site, "options.sizes", given["sizes"] ?? false) };
}

/** Returns the options of a vacuum. */
export function checkVacuumOptions(options: unknown): VacuumOptions {
  const site: CallSite = { capability: "store", operation: "vacuum" };
  const given = requireObject(site, "options", options, ["maxBytes", "maxMs", "signal", "onProgress"]);
  const { maxBytes, maxMs, onProgress } = given;
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw invalidInput(site, "options.onProgress", onProgress, "a function");
  }
  const signal = requireSignal(site, options);
  const most = Number.MAX_SAFE_INTEGER;
  return {
    ...(maxBytes === undefined ? {} : { maxBytes: requireInteger(site, "options.maxBytes", maxBytes, 0, most) }),
    ...(maxMs === undefined ? {} : { maxMs: requireInteger(site, "options.maxMs", maxMs, 0, most) }),
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress: onProgress as NonNullable<VacuumOptions["onProgress"]> }),
  };
}

/** Returns the options of making the text index anew. */
export function checkTextIndexOptions(site: CallSite, options: unknown): TextIndexOptions {
  const { onProgress } = requireObject(site, "options", options, ["signal", "onProgress"]);
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw invalidInput(site, "options.onProgress", onProgress, "a function");
  }
  const signal = requireSignal(site, options);
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress: onProgress as NonNullable<TextIndexOptions["onProgress"]> }),
  };
}
