import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Embedder } from "../../src/contracts/embedder.ts";
import { createTransformersEmbedder } from "../../src/drivers/embed-transformers.ts";
import type { TransformersEmbedderOptions } from "../../src/drivers/embed-transformers.ts";
import { embedderConformance } from "../conformance/embedder.ts";
import { TINY_DIMENSIONS, TINY_MODEL, tokenVector, VOCABULARY, writeTinyModel } from "../support/tiny-model.ts";
import { TinyTransformers } from "../support/tiny-transformers.ts";

const DOCUMENT = { kind: "document" } as const;
const PACKAGE = "@huggingface/transformers";
/** The package is 470 MB installed, so it is no dev dependency. This names a copy: the address of its transformers.node.mjs. */
const realUrl = process.env["LODESTORE_TRANSFORMERS_URL"];

let models: string;
beforeAll(async () => {
  models = await writeTinyModel(await mkdtemp(join(tmpdir(), "lodestore-model-")));
});
afterAll(() => rm(models, { recursive: true, force: true }));

function create(module: object, options: Partial<TransformersEmbedderOptions> = {}): Embedder {
  const base = { model: TINY_MODEL, dimensions: TINY_DIMENSIONS, modelPath: models };
  return createTransformersEmbedder({ ...base, load: async () => module, ...options });
}

embedderConformance("embed-transformers", async () => {
  const embedder = create(new TinyTransformers(), { maxBatch: 4 });
  return { embedder, close: async () => embedder.close?.() };
});

describe("transformers embedder", () => {
  test("loads package and model at the first call, once", async () => {
    let loads = 0;
    const tiny = new TinyTransformers();
    const embedder = create(tiny, { load: async () => (loads++, tiny), dtype: "q8", device: "cpu" });
    expect(loads).toBe(0);
    await Promise.all([embedder.embed(["fox"], DOCUMENT), embedder.embed(["dog"], DOCUMENT)]);
    await embedder.embed(["fox"], DOCUMENT);
    expect(loads).toBe(1);
    expect(tiny.loads).toMatchObject([
      {
        task: "feature-extraction",
        model: TINY_MODEL,
        options: { local_files_only: true, dtype: "q8", device: "cpu" },
      },
    ]);
  });

  test("lets the package look where the options say and nowhere else, and puts its settings back", async () => {
    const tiny = new TinyTransformers();
    const before = { ...tiny.env };
    await create(tiny, { cache: false }).embed(["fox"], DOCUMENT);
    expect(tiny.loads[0]?.env).toEqual({
      allowLocalModels: true,
      allowRemoteModels: false,
      localModelPath: `${models}/`,
      useBrowserCache: false,
      useFSCache: false,
      useCustomCache: false,
      customCache: null,
      backends: { onnx: {} },
    });
    expect(tiny.env).toEqual(before);
    const cache = { match: async () => undefined, put: async () => {} };
    await create(tiny, { cache, allowRemote: true }).embed(["fox"], DOCUMENT);
    expect(tiny.loads[1]?.env).toMatchObject({ allowRemoteModels: true, useCustomCache: true, customCache: cache });
    expect(tiny.env).toEqual(before);
  });

  test("loads two models of one package one after the other, each under its own settings", async () => {
    const tiny = new TinyTransformers();
    const [slash, plain] = [create(tiny, { modelPath: `${models}/` }), create(tiny, { cache: false })];
    await Promise.all([slash.embed(["fox"], DOCUMENT), plain.embed(["fox"], DOCUMENT)]);
    expect(tiny.loads.map(({ env }) => env.useFSCache)).toEqual([true, false]);
    expect(tiny.env).toEqual(new TinyTransformers().env);
  });

  test("lets browsers load the runtime from the app's own folder, and from the CDN only where told", async () => {
    const cdn = { wasm: "https://cdn.jsdelivr.net/npm/onnxruntime-web/dist/ort.wasm" };
    const tiny = new TinyTransformers();
    const wasm: { wasmPaths?: unknown } = { wasmPaths: cdn };
    tiny.env.backends.onnx.wasm = wasm;
    expect(await failure(create(tiny))).toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("wasmPath is missing"),
    });
    expect(tiny.loads).toEqual([]);
    await create(tiny, { allowRemote: true }).embed(["fox"], DOCUMENT);
    expect(wasm.wasmPaths).toBe(cdn);
    await create(tiny, { wasmPath: "/onnx" }).embed(["fox"], DOCUMENT);
    expect(wasm.wasmPaths).toBe("/onnx/");
    await create(tiny).embed(["fox"], DOCUMENT);
    expect(tiny.loads).toHaveLength(3);
  });

  test("puts the prefix of its kind before every text", async () => {
    const tiny = new TinyTransformers();
    const embedder = create(tiny, { documentPrefix: "passage: ", queryPrefix: "query: " });
    await embedder.embed(["fox", "a\ud800"], DOCUMENT);
    await embedder.embed(["fox"], { kind: "query" });
    expect(tiny.runs).toEqual([["passage: fox", "passage: a\ufffd"], ["query: fox"]]);
  });

  test("pools and normalises as told; the last token of each text alone, never padding", async () => {
    const tiny = new TinyTransformers();
    const sep = VOCABULARY.indexOf("[SEP]");
    const embedder = create(tiny, { pooling: "last_token", normalize: false });
    expect(await embedder.embed(["fox", "quick brown fox"], DOCUMENT)).toEqual([
      Float32Array.from(tokenVector(sep)),
      Float32Array.from(tokenVector(sep)),
    ]);
    expect(tiny.runs).toEqual([["fox"], ["quick brown fox"]]);
    const [normal] = await create(tiny).embed(["fox"], DOCUMENT);
    expect(Math.hypot(...(normal ?? []))).toBeCloseTo(1, 5);
  });

  test("says UNSUPPORTED with the command to run where the package is not installed", async ({ skip }) => {
    skip(await isInstalled(), `${PACKAGE} is installed`);
    const base = { model: TINY_MODEL, dimensions: TINY_DIMENSIONS, modelPath: models };
    const error = await failure(createTransformersEmbedder(base));
    expect(error).toMatchObject({ code: "UNSUPPORTED", capability: "embedder", operation: "embed" });
    expect(error.message).toContain(`npm install ${PACKAGE}@4.3.1`);
    expect(error.cause).toBeInstanceOf(Error);
  });

  test("says DRIVER, naming the address, where moduleUrl leads nowhere or to another module", async () => {
    const elsewhere = join(models, "none.mjs");
    const missing = await failure(create({}, { moduleUrl: elsewhere, load: undefined } as object));
    expect(missing).toMatchObject({ code: "DRIVER", message: expect.stringContaining(elsewhere) });
    const wrong = await failure(create({ pipeline: 3 }));
    expect(wrong).toMatchObject({ code: "DRIVER", message: expect.stringContaining('no "pipeline" and "env"') });
  });

  test("says where it looked for a model that is not there, and tries again at the next call", async () => {
    const tiny = new TinyTransformers();
    const embedder = create(tiny, { model: "later" });
    const error = await failure(embedder);
    expect(error).toMatchObject({
      code: "DRIVER",
      message: expect.stringContaining(`"later" cannot be loaded from ${models}`),
    });
    expect(error.cause).toMatchObject({ code: "ENOENT" });
    expect(tiny.env).toEqual(new TinyTransformers().env);
    await failure(embedder);
    expect(tiny.loads).toHaveLength(2);
  });

  test.each([
    ["other dimensions", { type: "float32", dims: [1, 5], data: new Float32Array(5) }, "5 values, not 6"],
    ["another type", { type: "int8", dims: [1, 6], data: new Int8Array(6) }, "int8 tensor of [1, 6]"],
    ["no pooled vectors", { type: "float32", dims: [1, 1, 6], data: new Float32Array(6) }, "tensor of [1, 1, 6]"],
    ["a row too many", { type: "float32", dims: [1, 6, 1], data: new Float32Array(6) }, "tensor of [1, 6, 1]"],
    ["fewer vectors", { type: "float32", dims: [0, 6], data: new Float32Array(0) }, "0 vectors for 1 texts"],
    ["NaN", { type: "float32", dims: [1, 6], data: new Float32Array(6).fill(Number.NaN) }, "NaN at position 0"],
  ])("says DRIVER when the model answers %s", async (_, tensor, message) => {
    const tiny = new TinyTransformers();
    const module = { env: tiny.env, pipeline: async () => async () => tensor };
    expect(await failure(create(module))).toMatchObject({ code: "DRIVER", message: expect.stringContaining(message) });
  });

  test("keeps the cause when the model fails, and runs the next call", async () => {
    const tiny = new TinyTransformers();
    const cause = new Error("out of memory");
    tiny.beforeRun = async () => {
      throw cause;
    };
    const embedder = create(tiny);
    expect(await failure(embedder)).toMatchObject({ code: "DRIVER", cause });
    tiny.beforeRun = async () => {};
    expect(await embedder.embed(["fox"], DOCUMENT)).toHaveLength(1);
  });

  test("is ABORTED at once while the model runs; what waits behind is not run if it was aborted too", async () => {
    const tiny = new TinyTransformers();
    const { promise, resolve } = Promise.withResolvers<void>();
    tiny.beforeRun = () => promise;
    const embedder = create(tiny);
    const stop = new AbortController();
    const running = embedder.embed(["fox"], { ...DOCUMENT, signal: stop.signal });
    const waiting = embedder.embed(["dog"], { ...DOCUMENT, signal: stop.signal });
    await expect.poll(() => tiny.runs.length).toBe(1);
    stop.abort("enough");
    await expect(running).rejects.toMatchObject({ code: "ABORTED", cause: "enough" });
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
    resolve();
    expect(await embedder.embed(["lazy"], DOCUMENT)).toHaveLength(1);
    expect(tiny.runs).toEqual([["fox"], ["lazy"]]);
  });

  test("loads no model for a call that was aborted before its turn", async () => {
    const tiny = new TinyTransformers();
    const embedder = create(tiny);
    const stop = new AbortController();
    const call = embedder.embed(["fox"], { ...DOCUMENT, signal: stop.signal });
    stop.abort();
    await expect(call).rejects.toMatchObject({ code: "ABORTED" });
    await embedder.close?.();
    expect(tiny.loads).toEqual([]);
  });

  test("closes after the calls that run, once, and needs no model for it", async () => {
    const tiny = new TinyTransformers();
    const embedder = create(tiny);
    const running = embedder.embed(["fox"], DOCUMENT);
    await Promise.all([embedder.close?.(), embedder.close?.()]);
    expect(await running).toHaveLength(1);
    expect(tiny.disposed).toBe(1);
    const unused = new TinyTransformers();
    await create(unused).close?.();
    expect([unused.loads.length, unused.disposed]).toEqual([0, 0]);
  });

  test.each([
    ["model", { model: "../secret" }],
    ["model", { model: "a/b/c" }],
    ["model", { model: "m".repeat(201) }],
    ["modelVersion", { modelVersion: "v".repeat(101) }],
    ["dimensions", { dimensions: 0 }],
    ["pooling", { pooling: "max" }],
    ["normalize", { normalize: 1 }],
    ["dtype", { dtype: "" }],
    ["device", { device: 7 }],
    ["modelPath", { modelPath: undefined }],
    ["wasmPath", { wasmPath: {} }],
    ["allowRemote", { allowRemote: "yes" }],
    ["cache", { cache: { match: () => {} } }],
    ["maxBatch", { maxBatch: 4097 }],
    ["documentPrefix", { documentPrefix: "p".repeat(1001) }],
    ["moduleUrl", { moduleUrl: "/transformers.js" }],
    ["load", { load: "transformers" }],
    ["quantized", { quantized: true }],
  ])("refuses a wrong %s by name", (field, options) => {
    expect(() => create({}, options as object)).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT", message: expect.stringContaining(field) }),
    );
  });
});

describe("transformers embedder with the real package", () => {
  const options = realUrl === undefined ? {} : { moduleUrl: realUrl };
  const reason = `${PACKAGE} is not installed; LODESTORE_TRANSFORMERS_URL may name a copy`;
  const real = (more: Partial<TransformersEmbedderOptions> = {}): Embedder =>
    createTransformersEmbedder({
      model: TINY_MODEL,
      dimensions: TINY_DIMENSIONS,
      modelPath: models,
      ...options,
      ...more,
    });

  test("computes from local files what the stand-in computes", async ({ skip }) => {
    skip(!(await isInstalled()), reason);
    const texts = ["quick fox", "dog", "lazy unknown dog!", "", "→", "fox ".repeat(500)];
    for (const pooling of ["mean", "cls", "last_token"] as const) {
      const embedder = real({ pooling });
      const expected = await create(new TinyTransformers(), { pooling }).embed(texts, DOCUMENT);
      for (const [index, vector] of (await embedder.embed(texts, DOCUMENT)).entries()) {
        for (const [at, value] of vector.entries()) expect(value).toBeCloseTo(expected[index]?.[at] ?? Number.NaN, 5);
      }
      await embedder.close?.();
    }
  });

  test("loads the model from an address, through a cache of the app's", async ({ skip }) => {
    skip(!(await isInstalled()), reason);
    await using server = await serveFolder(models);
    const kept = new Map<string, Response>();
    const cache = {
      match: async (request: string) => kept.get(request)?.clone(),
      put: async (request: string, response: Response) => void kept.set(request, response),
    };
    const embedder = real({ modelPath: server.url, cache });
    expect(await embedder.embed(["quick fox"], DOCUMENT)).toHaveLength(1);
    await embedder.close?.();
    expect([...kept.keys()]).toContain(`${server.url}/${TINY_MODEL}/onnx/model.onnx`);
  });

  test("says DRIVER for a model that is not in its folder, without asking the Hub", async ({ skip }) => {
    skip(!(await isInstalled()), reason);
    expect(await failure(real({ model: "absent" }))).toMatchObject({
      code: "DRIVER",
      message: expect.stringMatching(/"absent" cannot be loaded from .*file was not found locally/),
    });
  });
});

async function isInstalled(): Promise<boolean> {
  if (realUrl !== undefined) return true;
  const name = PACKAGE;
  return import(/* @vite-ignore */ name).then(
    () => true,
    () => false,
  );
}

async function failure(embedder: Embedder): Promise<Error> {
  const outcome = await embedder.embed(["fox"], DOCUMENT).catch((error: unknown) => error);
  if (!(outcome instanceof Error)) throw new Error("the call did not fail");
  return outcome;
}

async function serveFolder(folder: string): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((request, response) => {
    readFile(join(folder, request.url ?? "")).then(
      (file) => response.end(file),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: close };
}
