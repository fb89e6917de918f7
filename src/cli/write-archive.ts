import { open, rename, rm } from "node:fs/promises";
import { CommandError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import type { OutputStream } from "./terminal.ts";

/** Writes an archive aside, flushes and renames it: a file of that name is whole.
 *  @returns its bytes
 *  @throws CommandError the file cannot be written; nothing of it is left */
export async function writeArchiveFile(
  command: string,
  path: string,
  archive: AsyncIterable<Uint8Array>,
): Promise<number> {
  const aside = `${path}.part-${process.pid}`;
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw cannotWrite(command, path, error);
    }
  };
  const file = await attempt(() => open(aside, "w"));
  let bytes = 0;
  try {
    try {
      for await (const piece of archive) {
        await attempt(() => file.writeFile(piece));
        bytes += piece.byteLength;
      }
      await attempt(() => file.sync());
    } finally {
      await file.close();
    }
    await attempt(() => rename(aside, path));
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
  return bytes;
}

/** Writes an archive to a stream, as fast as that takes it.
 *  @returns its bytes
 *  @throws CommandError the stream cannot be written, or was closed by its reader */
export async function writeArchiveTo(
  command: string,
  stream: OutputStream,
  archive: AsyncIterable<Uint8Array>,
): Promise<number> {
  let bytes = 0;
  // Says that failures of the stream are dealt with here, where what was opened is closed again.
  stream.on("error", nothing);
  for await (const piece of archive) {
    await new Promise<void>((resolve, reject) => {
      stream.write(piece, (error) => {
        if (error == null) resolve();
        else reject(cannotWrite(command, "stdout", error));
      });
    });
    bytes += piece.byteLength;
  }
  stream.off("error", nothing);
  return bytes;
}

function nothing(): void {}

function cannotWrite(operation: string, path: string, error: unknown): CommandError {
  const isClosed = error instanceof Error && "code" in error && error.code === "EPIPE";
  const reason = isClosed ? "it was closed before the archive was whole" : message(error);
  const full = error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
  return new CommandError(`${path} cannot be written: ${reason}`, {
    code: full ? "QUOTA_EXCEEDED" : "DRIVER",
    operation,
    exitCode: EXIT.store,
    ...(full ? { hint: "The disk is full. The store is as it was." } : {}),
  });
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
