import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown, type RolldownPlugin } from "rolldown";
import type { Plugin } from "vite";
import type { TestProject } from "vitest/node";
import { programName, PROGRAMS, PROGRAMS_VARIABLE } from "./programs.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const HOME = join(ROOT, "node_modules/.cache/programs");

/** Where a store on Node has its threads from. */
const THREAD = `new URL("./node-worker.ts", import.meta.url)`;

/** Bundles what tests start, before the first test and, where tests are watched, before they run again. */
export default async function setup(project: TestProject): Promise<void> {
  await bundlePrograms();
  project.onTestsRerun(bundlePrograms);
}

async function bundlePrograms(): Promise<void> {
  const bundle = await rolldown({
    input: Object.fromEntries(PROGRAMS.map((source) => [programName(source), join(ROOT, source)])),
    platform: "node",
    // What finds files next to itself, or may be absent.
    external: [/^@sqlite\.org\//, /^@lancedb\//, /^apache-arrow/, /^@huggingface\//, "vitest"],
    plugins: [sourceAddresses],
    tsconfig: false,
    treeshake: false,
  });
  const { output } = await bundle.generate({
    format: "es",
    entryFileNames: "[name].mjs",
    chunkFileNames: "[name]-[hash].mjs",
  });
  await bundle.close();
  const files = output.map((file) => [file.fileName, file.type === "chunk" ? file.code : file.source] as const);
  process.env[PROGRAMS_VARIABLE] = `${pathToFileURL(keep(files)).href}/`;
}

/** Writes the files to a folder named after what they hold: other runs at the same time are not disturbed, and what Node has compiled of
 *  them is found again. */
function keep(files: readonly (readonly [name: string, content: string | Uint8Array])[]): string {
  const hash = createHash("sha256");
  for (const [name, content] of files) hash.update(name).update("\0").update(content).update("\0");
  const folder = join(HOME, hash.digest("hex").slice(0, 16));
  if (existsSync(folder)) return folder;
  const made = join(HOME, `new-${process.pid}`);
  mkdirSync(made, { recursive: true });
  for (const [name, content] of files) {
    writeFileSync(join(made, name), content);
  }
  try {
    renameSync(made, folder);
  } catch (error) {
    // Another run was first, with the same files.
    rmSync(made, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** A bundled module finds its neighbours where its source is, and its threads beside itself. */
const sourceAddresses: RolldownPlugin = {
  name: "source-addresses",
  transform: {
    filter: { id: { exclude: /node_modules/ }, code: /import\.meta\.(url|dirname)/ },
    handler: (code, id) =>
      code
        .split(THREAD)
        .map((part) =>
          part
            .replaceAll("import.meta.dirname", JSON.stringify(dirname(id)))
            .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(id).href)),
        )
        .join(`new URL("./node-worker.mjs", import.meta.url)`),
  },
};

/** Has stores that are opened in a test itself start bundled threads, too. */
export const bundledThreads: Plugin = {
  name: "bundled-threads",
  enforce: "pre",
  transform: {
    filter: { id: /\/src\/node-threads\.ts$/ },
    handler: (code) => {
      if (!code.includes(THREAD))
        throw new Error(`src/node-threads.ts starts its threads from elsewhere than ${THREAD}`);
      return {
        code: code.replace(THREAD, `new URL("node-worker.mjs", process.env["${PROGRAMS_VARIABLE}"])`),
        map: null,
      };
    },
  },
};
