import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { dataFolder } from "../support/data-folder.ts";

/** Returns where a file of the data sets is; `LODESTORE_DATA` names their folder. */
export function dataFile(path: string): { path: string; missing: boolean; note: string } {
  const folder = dataFolder();
  const file = resolve(folder, path);
  return { path: file, missing: !existsSync(file), note: `no ${path} in ${folder}, which LODESTORE_DATA names` };
}
