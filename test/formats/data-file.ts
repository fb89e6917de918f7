import { existsSync } from "node:fs";
import { resolve } from "node:path";

/** Returns where a file of the data sets is; `LODESTORE_DATA` names their folder, else it is `../shared/data`. */
export function dataFile(path: string): { path: string; missing: boolean; note: string } {
  const folder = resolve(process.env["LODESTORE_DATA"] ?? "../shared/data");
  const file = resolve(folder, path);
  return { path: file, missing: !existsSync(file), note: `no ${path} in ${folder}, which LODESTORE_DATA names` };
}
