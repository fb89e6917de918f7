/** The store's error code, or `undefined` for errors of other makers. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** A sentence for people. Codes with something to do about them say what. */
export function errorText(error: unknown): string {
  switch (errorCode(error)) {
    case "QUOTA_EXCEEDED":
      return "The browser has no room left for this site. What was taken in is kept, whole. Free some disk space or delete documents, then go on.";
    case "OWNER_LOST":
      return "The worker that holds the store has stopped. What was committed is safe.";
    case "CLOSED":
      return "The store is closed.";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
