import type { StorageErrorCode } from "../node.ts";

/** What the exit codes of the command mean; the help says the same in words. */
export const EXIT = {
  ok: 0,
  /** It ran, but something is wrong: files that failed, no hit, a finding of `doctor`, no such document. */
  wrong: 1,
  usage: 2,
  /** The store cannot be opened, is damaged, or cannot be written. */
  store: 3,
  /** Neither the user nor the store: a defect of this program. */
  defect: 70,
  cancelled: 130,
} as const;

/** Returns the exit code for a failure of the store. */
export function exitCodeOf(code: StorageErrorCode): number {
  switch (code) {
    case "INVALID_INPUT":
      return EXIT.usage;
    case "ABORTED":
      return EXIT.cancelled;
    default:
      return EXIT.store;
  }
}
