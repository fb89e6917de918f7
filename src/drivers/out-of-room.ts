/** What browsers call it where there is no room left in their storage: the standard's name, and Firefox's where a file is made longer. */
const NAMES: ReadonlySet<string> = new Set(["QuotaExceededError", "NS_ERROR_FILE_NO_DEVICE_SPACE"]);

/** Whether a browser's storage refused something because there is no room left. What Firefox throws then is no `Error`. */
export function isOutOfRoom(error: unknown): boolean {
  if (typeof error !== "object" || error === null || !("name" in error)) return false;
  return typeof error.name === "string" && NAMES.has(error.name);
}
