import { expect, test } from "vitest";
import { isOutOfRoom } from "../../src/drivers/out-of-room.ts";

test.each([
  [new DOMException("no room", "QuotaExceededError"), true],
  // Firefox, where a file is made longer: an exception of its own, which is no Error.
  [{ name: "NS_ERROR_FILE_NO_DEVICE_SPACE", message: "" }, true],
  [new DOMException("held", "NoModificationAllowedError"), false],
  [new Error("QuotaExceededError"), false],
  [{ name: 1 }, false],
  ["QuotaExceededError", false],
  [null, false],
  [undefined, false],
])("%j is want of room: %s", (error, expected) => {
  expect(isOutOfRoom(error)).toBe(expected);
});
