import { expect } from "vitest";
import { StorageError, type StorageErrorCode } from "../../../src/errors.ts";

/** Expects a rejection with this code and returns the error. */
export async function fails(code: StorageErrorCode, action: Promise<unknown>): Promise<StorageError> {
  const outcome = await action.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  expect(outcome).toHaveProperty("error");
  const error = "error" in outcome ? outcome.error : undefined;
  expect(error).toBeInstanceOf(StorageError);
  expect(error).toMatchObject({ code });
  return error as StorageError;
}
