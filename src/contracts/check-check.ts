import type { CheckOptions } from "./store.ts";
import { type CallSite, requireBoolean, requireObject, requireSignal } from "./validate.ts";

/** Returns the options of a check. */
export function checkCheckOptions(
  site: CallSite,
  options: unknown,
): Required<Pick<CheckOptions, "deep">> & { signal: AbortSignal | undefined } {
  const given = requireObject(site, "options", options, ["deep", "signal"]);
  return {
    deep: requireBoolean(site, "options.deep", given["deep"] ?? false),
    signal: requireSignal(site, given),
  };
}
