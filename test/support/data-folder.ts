import { resolve } from "node:path";

/** Folder of the data sets: `LODESTORE_DATA` names it. */
export function dataFolder(): string {
  return resolve(process.env["LODESTORE_DATA"] ?? "../shared/data");
}
