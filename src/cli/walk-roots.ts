import { realpath, stat } from "node:fs/promises";
import { basename, isAbsolute, join, normalize, resolve, sep } from "node:path";
import { CommandError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import type { WalkRoot } from "./walk-files.ts";

/** Looks at what was named on the command line, before anything is done.
 *  @throws CommandError (usage) a name that is neither a folder nor a file */
export async function findWalkRoots(command: string, named: readonly string[]): Promise<WalkRoot[]> {
  return Promise.all(
    named.map(async (name): Promise<WalkRoot> => {
      try {
        const absolute = await realpath(resolve(name));
        const found = await stat(absolute);
        if (found.isDirectory()) return { absolute, path: "", kind: "folder" };
        if (found.isFile()) return { absolute, path: storePathOf(name), kind: "file" };
      } catch (error) {
        const absent = error instanceof Error && "code" in error && error.code === "ENOENT";
        const reason = error instanceof Error ? error.message : String(error);
        throw refused(
          command,
          absent ? "NOT_FOUND" : "DRIVER",
          absent ? `there is no ${name}` : `cannot read ${name}: ${reason}`,
        );
      }
      throw refused(command, "INVALID_INPUT", `${name} is neither a folder nor a file`);
    }),
  );
}

function refused(operation: string, code: string, message: string): CommandError {
  return new CommandError(message, { code, operation, exitCode: EXIT.usage });
}

/** Returns the path in the store of a file that was named: as it was named, or its name alone where that leads out of
 *  the working folder. */
function storePathOf(name: string): string {
  const path = normalize(name);
  if (isAbsolute(path) || path.split(sep)[0] === "..") return basename(path);
  return path.split(sep).join("/");
}

/** Returns the folder with links resolved, as far as it exists. */
export async function realFolder(folder: string): Promise<string> {
  const absolute = resolve(folder);
  try {
    return await realpath(absolute);
  } catch {
    const parent = resolve(absolute, "..");
    return parent === absolute ? absolute : join(await realFolder(parent), basename(absolute));
  }
}
