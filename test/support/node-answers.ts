import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { BrowserCommand } from "vitest/node";
import type { SearchHit } from "../../src/index.ts";
import type { OpenNodeStoreOptions } from "../../src/node.ts";

type Vectors = NonNullable<OpenNodeStoreOptions["vectors"]>;

const CHILD = fileURLToPath(new URL("./node-answers-child.ts", import.meta.url));
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/** Answers of a store on Node to the shared questions, for a test that runs in a browser. */
export const nodeAnswers: BrowserCommand<[vectors: Vectors]> = async (_context, vectors) => {
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD, JSON.stringify(vectors)], {
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  return JSON.parse(stdout) as SearchHit[][];
};

declare module "vitest/browser" {
  interface BrowserCommands {
    nodeAnswers(vectors: Vectors): Promise<SearchHit[][]>;
  }
}
