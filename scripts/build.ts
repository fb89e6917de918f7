/**
 * Builds the package into dist/:
 *
 * 1. tsc writes every module of src/ with its declarations and source map.
 * 2. The worker is bundled with its dependencies into one file. Left to the bundler of an app it would break there: a
 *    page's resolution gives the Markdown parser a module that needs `document`, and Vite's dev server serves
 *    CommonJS dependencies of a worker as they are. sqlite-wasm stays an import, so that bundlers find its .wasm.
 * 3. The addresses of workers are made to name JavaScript files: tsc rewrites "./worker.ts" in imports, but not in
 *    `new URL("./worker.ts", import.meta.url)`, which is the form that every bundler finds.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { rolldown } from "rolldown";

const root = resolve(import.meta.dirname, "..");
const dist = join(root, "dist");

rmSync(dist, { recursive: true, force: true });
compile();
const bundled = await bundleWorker();
writeFileSync(join(dist, "worker.licenses.txt"), licensesOf(bundled));
for (const name of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
  if (name.endsWith(".js")) nameJavaScript(join(dist, name));
}

function compile(): void {
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  const { status } = spawnSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json")], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/** @returns the files that went into the bundle. */
async function bundleWorker(): Promise<string[]> {
  const bundle = await rolldown({
    input: join(root, "src/worker.ts"),
    platform: "browser",
    external: [/^@sqlite\.org\/sqlite-wasm/],
    resolve: { conditionNames: ["worker", "module", "browser", "import", "default"] },
    tsconfig: false,
  });
  const { output } = await bundle.write({
    file: join(dist, "worker.js"),
    format: "es",
    sourcemap: true,
    codeSplitting: false,
  });
  await bundle.close();
  return output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
}

/** The licenses of the packages that the files belong to: whoever passes the bundle on must pass them on, too. */
function licensesOf(files: string[]): string {
  const folderOf = /^.*[\\/]node_modules[\\/](@[^\\/]+[\\/])?[^\\/]+/;
  const folders = new Set(files.flatMap((file) => folderOf.exec(file)?.[0] ?? []));
  const texts = [...folders].toSorted().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
      name: string;
      version: string;
      license?: string;
    };
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? `License: ${license}` : readFileSync(join(folder, file), "utf8").trim();
    return `${name} ${version}\n\n${text}\n`;
  });
  return `worker.js contains code of these packages.\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

/** Makes `new URL("./x.ts", import.meta.url)` name `./x.js`, and sees that the files so named exist. */
function nameJavaScript(file: string): void {
  const code = readFileSync(file, "utf8");
  // The replacement is as long as what it replaces, so the source maps stay right.
  const rewritten = code.replace(
    /(\bnew URL\(\s*(["'])\.{1,2}\/[^"'\n]+\.)ts(\2,\s*import\.meta\.url\b)/g,
    (_, before: string, _quote: string, after: string) => `${before}js${after}`,
  );
  if (rewritten !== code) writeFileSync(file, rewritten);
  // Code only: an example in a comment may name what it likes.
  const named = /^(?!\s*(?:\*|\/[/*])).*\bnew URL\(\s*["'](\.{1,2}\/[^"'\n]+)["'],\s*import\.meta\.url\b/gm;
  for (const [, address = ""] of rewritten.matchAll(named)) {
    if (existsSync(resolve(dirname(file), address))) continue;
    console.error(`${file} names ${address}, and there is no such file.`);
    process.exitCode = 1;
  }
}
