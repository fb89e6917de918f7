import { StorageError } from "../../errors.ts";
import { type FeatureExtractor, loadModule, type TransformersEnv } from "./transformers-module.ts";
import type { TransformersModule } from "./transformers-module.ts";
import type { TransformersSettings } from "./transformers-options.ts";

const EMBED = { capability: "embedder", operation: "embed" } as const;
/** Where the package has browsers fetch onnxruntime-web from, unless told otherwise. */
const CDN = "cdn.jsdelivr.net";

/** The package's settings are global: models are loaded one after the other, each under its own. */
let lastLoad: Promise<unknown> = Promise.resolve();

/** Loads package and model.
 *  @throws StorageError UNSUPPORTED, INVALID_INPUT (no `wasmPath` in a browser), DRIVER */
export async function loadModel(settings: TransformersSettings): Promise<FeatureExtractor> {
  const module = await loadModule(settings);
  const loading = lastLoad.then(() => loadUnderSettings(module, settings));
  lastLoad = loading.catch(() => undefined);
  return loading;
}

async function loadUnderSettings(
  module: TransformersModule,
  settings: TransformersSettings,
): Promise<FeatureExtractor> {
  const { model, dtype, device, modelPath, allowRemote } = settings;
  const { env } = module;
  chooseRuntime(env, settings);
  const wanted: Partial<TransformersEnv> = {
    allowLocalModels: modelPath !== undefined,
    allowRemoteModels: allowRemote,
    ...(modelPath === undefined ? {} : { localModelPath: withSlash(modelPath) }),
    ...cacheSettings(settings.cache),
  };
  const before = pick(env, wanted);
  Object.assign(env, wanted);
  try {
    return await module.pipeline("feature-extraction", model, {
      local_files_only: !allowRemote,
      ...(dtype === undefined ? {} : { dtype }),
      ...(device === undefined ? {} : { device }),
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const from = [modelPath, ...(allowRemote ? ["the Hugging Face Hub"] : [])].filter((place) => place !== undefined);
    const message = `the embedding model ${JSON.stringify(model)} cannot be loaded from ${from.join(" or ")}: ${reason}`;
    throw new StorageError("DRIVER", message, { ...EMBED, cause });
  } finally {
    Object.assign(env, before);
  }
}

/** In browsers the package runs code from a CDN by default. That needs the app's consent. */
function chooseRuntime(env: TransformersEnv, { wasmPath, allowRemote }: TransformersSettings): void {
  const { wasm } = env.backends.onnx;
  if (wasm === undefined) return;
  if (wasmPath !== undefined) wasm.wasmPaths = withSlash(wasmPath);
  else if (!allowRemote && JSON.stringify(wasm.wasmPaths ?? "").includes(CDN)) {
    const message = `wasmPath is missing: the package would load its runtime from ${CDN}, and allowRemote is false`;
    throw new StorageError("INVALID_INPUT", message, EMBED);
  }
}

function withSlash(path: string): string {
  return path.endsWith("/") ? path : `${path}/`;
}

function cacheSettings(cache: TransformersSettings["cache"]): Partial<TransformersEnv> {
  if (cache === true) return {};
  const none = { useBrowserCache: false, useFSCache: false };
  if (cache === false) return { ...none, useCustomCache: false };
  return { ...none, useCustomCache: true, customCache: cache };
}

function pick(env: TransformersEnv, keys: Partial<TransformersEnv>): Partial<TransformersEnv> {
  return Object.fromEntries(Object.keys(keys).map((key) => [key, env[key as keyof TransformersEnv]]));
}
