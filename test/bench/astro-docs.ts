import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchContext } from "./report.ts";

export interface DocFile {
  path: string;
  text: string;
}

/** The name of the data set in figures. */
export function datasetName(files: readonly DocFile[]): string {
  const bytes = files.reduce((sum, file) => sum + Buffer.byteLength(file.text), 0);
  return `Astro docs: ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB`;
}

/** Reads the Astro documentation from the data folder, sorted by path; undefined, and said so, where it is absent. */
export async function readAstroDocs(context: BenchContext, suite: string): Promise<DocFile[] | undefined> {
  const archive = join(context.dataDir, "docs", "astro-docs-content.tar.gz");
  if (!existsSync(archive)) {
    context.progress(`suite ${suite}: left out, no file ${archive}`);
    return undefined;
  }
  const folder = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
  try {
    execFileSync("tar", ["-xzf", archive, "-C", folder]);
    const root = join(folder, "src", "content", "docs");
    return readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".mdx") || path.endsWith(".md"))
      .toSorted()
      .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
