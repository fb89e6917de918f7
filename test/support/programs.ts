import { basename } from "node:path";
import { fileURLToPath } from "node:url";

/** The files that tests start processes and threads with. They are bundled once per run (`bundle-programs.ts`): from the source each start
 *  would read hundreds of modules. */
export const PROGRAMS = [
  "src/cli/lodestore.ts",
  "src/node-worker.ts",
  "test/node/store-child.ts",
  "test/support/adopt-child.ts",
  "test/support/asset-crash-child.ts",
  "test/support/chat-child.ts",
  "test/support/embedding-crash-child.ts",
  "test/support/eval-child.ts",
  "test/support/import-child.ts",
  "test/support/jobs-child.ts",
  "test/support/lance-child.ts",
  "test/support/lance-reader-worker.ts",
  "test/support/snapshot-crash-child.ts",
] as const;

export type Program = (typeof PROGRAMS)[number];

/** Holds the address of the folder with the programs of this run; the processes that run tests inherit it. */
export const PROGRAMS_VARIABLE = "LODESTORE_TEST_PROGRAMS";

/** What a program's file is called: all stand in one folder. */
export const programName = (source: string): string => basename(source, ".ts");

/** The address of a program, to start a thread with. */
export function programUrl(source: Program): URL {
  const folder = process.env[PROGRAMS_VARIABLE];
  if (folder === undefined) throw new Error("no programs were bundled: only tests of the project `node` start them");
  return new URL(`${programName(source)}.mjs`, folder);
}

/** The file of a program, to start a process with. */
export function programFile(source: Program): string {
  return fileURLToPath(programUrl(source));
}
