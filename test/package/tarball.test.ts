import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "playwright";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { build, createServer, preview } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { CHROMIUM_FLAGS, ensureChromium } from "../support/chromium.ts";
import { runCommand, runNpm } from "./run-command.ts";

const root = resolve(import.meta.dirname, "../..");
const bin = (name: string): string => join(root, "node_modules", name);
const entries = Object.keys(manifest.exports).filter((entry) => entry !== "./package.json");

describe("the packed tarball", () => {
  let project: string;
  let tarball: string;

  beforeAll(async () => {
    project = mkdtempSync(join(tmpdir(), "lodestore-consumer-"));
    if (!existsSync(join(root, "dist/index.js"))) throw new Error("dist/ is missing: run `npm run build` first.");
    await runNpm(["pack", "--ignore-scripts", "--pack-destination", project], root);
    tarball = join(project, `${manifest.name}-${manifest.version}.tgz`);
    writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
    await runNpm(["install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", tarball], project);
  });

  afterAll(() => {
    rmSync(project, { recursive: true, force: true });
  });

  test("contains the built library, its manifest, readme and license, and nothing else", async () => {
    const list = (await runCommand("tar", ["-tzf", tarball], project)).trim().split(/\r?\n/);
    const paths = list.map((path) => path.replace(/^package\//, "")).filter((path) => !path.endsWith("/"));
    const belongs =
      /^(package\.json|LICENSE|README\.md|dist\/worker\.licenses\.txt|wasm\/hnsw\.wasm|dist\/[\w./-]+\.(js|js\.map|d\.ts))$/;
    expect(paths.filter((path) => !belongs.test(path) || /(^|[/.])(test|spec|bench)s?([/.]|$)/.test(path))).toEqual([]);
    expect(paths).toEqual(expect.arrayContaining(["LICENSE", "wasm/hnsw.wasm"]));
    for (const script of paths.filter((path) => path.endsWith(".js"))) {
      expect(paths).toContain(script.replace(/js$/, "d.ts"));
      expect(paths).toContain(`${script}.map`);
    }
  });

  test("satisfies publint", async () => {
    const packed = readFileSync(tarball);
    const { messages } = await publint({
      pack: { tarball: new Uint8Array(packed).buffer },
      level: "suggestion",
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, manifest, { color: false }))).toEqual([]);
  });

  test("has types that resolve as its code does", async () => {
    const attw = bin("@arethetypeswrong/cli/dist/index.js");
    const args = [attw, tarball, "--profile", "esm-only", "--no-emoji", "--no-color"];
    await expect(runCommand(process.execPath, args, project)).resolves.toBeTypeOf("string");
  });

  test("can be imported on Node, the browser entry point included", async () => {
    const importable = entries
      .filter((entry) => entry !== "./worker")
      .map((entry) => entry.replace(/^\./, "lodestore"));
    const script = [
      ...importable.map((name, at) => `import * as entry${at} from "${name}";`),
      `console.log(JSON.stringify([${importable.map((_, at) => `Object.keys(entry${at}).length`).join()}]));`,
      `await import("node:fs").then((fs) => fs.accessSync(new URL(import.meta.resolve("lodestore/worker"))));`,
    ].join("\n");
    writeFileSync(join(project, "imports.js"), script);
    const counts = JSON.parse(await runCommand(process.execPath, ["imports.js"], project)) as number[];
    expect(counts).toHaveLength(importable.length);
    for (const count of counts) expect(count).toBeGreaterThan(0);
  });

  test("gives a browser program its types, without any package of types", async () => {
    await expect(
      typeErrors("browser", ["lodestore", "lodestore/browser", "lodestore/worker", "lodestore/blobs-idb"], {
        module: "ESNext",
        moduleResolution: "bundler",
        lib: ["ES2023", "ESNext.Disposable", "DOM", "DOM.AsyncIterable"],
        types: [],
        skipLibCheck: false,
      }),
    ).resolves.toBe("");
  });

  test("gives a Node program its types", async () => {
    await expect(
      typeErrors("node", ["lodestore", "lodestore/node"], {
        module: "NodeNext",
        lib: ["ES2023"],
        typeRoots: [bin("@types")],
        types: ["node"],
        skipLibCheck: true,
      }),
    ).resolves.toBe("");
  });

  function typeErrors(name: string, imported: string[], compilerOptions: Record<string, unknown>): Promise<string> {
    const lines = imported.map(
      (from, at) => `import * as entry${at} from "${from}";\nexport const keys${at}: object = entry${at};`,
    );
    writeFileSync(join(project, `${name}.ts`), lines.join("\n"));
    const config = {
      compilerOptions: {
        target: "ES2023",
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        ...compilerOptions,
      },
      files: [`${name}.ts`],
    };
    writeFileSync(join(project, `tsconfig.${name}.json`), JSON.stringify(config));
    return runCommand(process.execPath, [bin("typescript/bin/tsc"), "-p", `tsconfig.${name}.json`], project);
  }

  test("opens a store on Node, in threads, whose search finds what it took in", async () => {
    const script = `
      import { openStore } from "lodestore/node";
      const store = await openStore({ dir: "packed-store", readers: 2, embedder: { kind: "hashing" } });
      await store.ingest({ path: "kiln.md", content: "# Kiln\\n\\nCone 6 melts." }, { embed: "wait" });
      const found = await store.search({ text: "melts", mode: "hybrid", explain: true });
      console.log(JSON.stringify([found.hits.length, found.explain.vector.modelId]));
      await store.close();
    `;
    writeFileSync(join(project, "store.js"), script);
    expect(JSON.parse(await runCommand(process.execPath, ["store.js"], project))).toEqual([1, "hashing"]);
  });

  test("has a command line that explains itself", async () => {
    const help = await runCommand(
      process.execPath,
      ["node_modules/lodestore/dist/cli/lodestore.js", "--help"],
      project,
    );
    expect(help).toContain("ingest");
    expect(existsSync(join(project, "node_modules/.bin/lodestore"))).toBe(true);
  });

  describe("in a browser, under a bundler in its default settings", () => {
    const site = { configFile: false as const, logLevel: "error" as const };

    beforeAll(() => {
      const page = `
        import { openStore } from "lodestore/browser";
        async function outcome() {
          const store = await openStore({ name: "packed" });
          await store.close();
          return "opened";
        }
        outcome().then((title) => { document.title = title; }, (error) => { document.title = String(error); });
      `;
      writeFileSync(join(project, "page.js"), page);
      writeFileSync(join(project, "index.html"), `<title>-</title><script type="module" src="/page.js"></script>`);
    });

    test("opens a store from a built page", async () => {
      await build({ ...site, root: project });
      const server = await preview({ ...site, root: project, preview: { host: "127.0.0.1", port: 0 } });
      try {
        expect(await titleAt(server.resolvedUrls)).toBe("opened");
      } finally {
        await server.close();
      }
    });

    test("opens a store from the development server", async () => {
      const server = await createServer({
        ...site,
        root: project,
        server: { host: "127.0.0.1", port: 0, watch: null },
      });
      try {
        await server.listen();
        expect(await titleAt(server.resolvedUrls)).toBe("opened");
      } finally {
        await server.close();
      }
    });
  });
});

/** The title that the page at a server's address gives itself. */
async function titleAt(addresses: { local: string[] } | null): Promise<string> {
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: [...CHROMIUM_FLAGS] });
  try {
    const tab = await browser.newPage();
    await tab.goto(addresses?.local[0] ?? "");
    const title = await tab.waitForFunction(`document.title !== "-" && document.title`);
    return String(await title.jsonValue());
  } finally {
    await browser.close();
  }
}
