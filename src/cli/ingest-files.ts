import { readFile, stat } from "node:fs/promises";
import type { IngestFile } from "../node.ts";
import { usageError } from "./command-error.ts";
import type { Arguments } from "./options.ts";
import type { FileWalk } from "./walk-files.ts";

/** What every file of a run is given. */
export type FileAttributes = Pick<IngestFile, "lang" | "tags" | "trust">;

/** Reads `--lang`, `--tag` and `--trust`. Checked here: the store would refuse every file for them.
 *  @throws CommandError (usage) */
export function fileAttributes(args: Arguments): FileAttributes {
  const lang = args.text("lang");
  const tags = args.list("tag");
  const trust = args.number("trust", 0, 1);
  if (lang !== undefined && !/^[a-z]{1,8}(?:-[a-z0-9]{1,8}){0,9}$/i.test(lang)) {
    throw usageError(args.command, `--lang got "${lang}"; it takes a language tag like zh or zh-cn`);
  }
  const longTag = tags?.find((tag) => tag.length > 256);
  if (longTag !== undefined)
    throw usageError(args.command, `--tag got ${longTag.length} characters; it takes at most 256`);
  return {
    ...(lang === undefined ? {} : { lang }),
    ...(tags === undefined ? {} : { tags }),
    ...(trust === undefined ? {} : { trust }),
  };
}

/** Yields the files of a walk as the store takes them: opened when their turn comes.
 *  @param afterAll Called when the walk is over and the store has not swept yet. */
export async function* ingestFiles(
  walk: FileWalk,
  attributes: FileAttributes,
  afterAll: () => void,
): AsyncGenerator<IngestFile> {
  for await (const { path, absolute } of walk.files()) {
    const sizeBytes = await sizeOf(absolute);
    yield { path, content: () => readFile(absolute), ...(sizeBytes === undefined ? {} : { sizeBytes }), ...attributes };
  }
  afterAll();
}

/** Returns the size; `undefined` where it cannot be told: reading the file then says why. */
async function sizeOf(absolute: string): Promise<number | undefined> {
  try {
    return (await stat(absolute)).size;
  } catch {
    return undefined;
  }
}
