import { type CallSite, requireInteger } from "./validate.ts";

/** Bytes that the answers of a store take at most, unless another number is given. */
export const SEARCH_CACHE_BYTES = 8_388_608;
/** Most bytes that answers of searches may take. */
const MOST_BYTES = 1_073_741_824;

/** Returns `searchCacheBytes` of the options a store is opened with, `undefined` where it is absent.
 *  @throws StorageError INVALID_INPUT */
export function checkSearchCacheBytes(site: CallSite, value: unknown): number | undefined {
  return value === undefined ? undefined : requireInteger(site, "searchCacheBytes", value, 0, MOST_BYTES);
}
