import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What a process of its own measured. */
export interface ProcessMemory {
  /** Growth of the resident set per vector, in bytes, with the index built and searched. */
  bytesPerVector: number;
}

/** Engines that can be measured: ours with full precision inside or outside of the kernel's memory, and the peers by package. */
export type MeasuredEngine = "lodestore, inside" | "lodestore, outside" | (string & {});

/** Builds an index over the clustered set in a fresh process and searches it.
 *  @returns undefined where the engine is not installed. */
export function processMemory(engine: MeasuredEngine, size: number): ProcessMemory | undefined {
  const child = fileURLToPath(new URL("memory-child.ts", import.meta.url));
  const output = execFileSync(process.execPath, ["--expose-gc", child, engine, String(size)], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const line = output.trim().split("\n").at(-1) ?? "";
  return line === "" ? undefined : (JSON.parse(line) as ProcessMemory);
}
