import { StorageError } from "../../errors.ts";
import type { TransformersSettings } from "./transformers-options.ts";

/** What is used of `@huggingface/transformers` 4. */
export interface TransformersModule {
  env: TransformersEnv;
  pipeline(task: string, model: string, options: object): Promise<FeatureExtractor>;
}

/** The package's settings, shared by everything that uses it in this realm. */
export interface TransformersEnv {
  allowLocalModels: boolean;
  allowRemoteModels: boolean;
  localModelPath: string;
  useBrowserCache: boolean;
  useFSCache: boolean;
  useCustomCache: boolean;
  customCache: unknown;
  backends: { onnx: { wasm?: { wasmPaths?: unknown } } };
}

/** A loaded model with its tokenizer. */
export interface FeatureExtractor {
  (texts: readonly string[], options: { pooling: string; normalize: boolean }): Promise<FeatureTensor>;
  dispose(): Promise<unknown>;
}

/** Values row by row: `dims` is [texts, dimensions]. */
export interface FeatureTensor {
  data: unknown;
  dims: readonly number[];
  type: string;
}

/** The version that this driver is written and tested for. */
export const PACKAGE = "@huggingface/transformers";
const INSTALL = `npm install ${PACKAGE}@4.3.1`;
const EMBED = { capability: "embedder", operation: "embed" } as const;

/** Returns the package, from where the options say.
 *  @throws StorageError UNSUPPORTED (it is not installed), DRIVER (what was loaded is not the package) */
export async function loadModule({ load, moduleUrl }: TransformersSettings): Promise<TransformersModule> {
  const module: unknown = await importModule(load, moduleUrl);
  if (!isTransformersModule(module)) {
    throw new StorageError("DRIVER", `what was loaded as ${PACKAGE} has no "pipeline" and "env"`, EMBED);
  }
  return module;
}

async function importModule(load: TransformersSettings["load"], moduleUrl: string | undefined): Promise<unknown> {
  // Specifiers in variables: a bundler would fail the build of every app that has not installed the optional package.
  const specifier = moduleUrl ?? PACKAGE;
  try {
    return load === undefined ? await import(/* @vite-ignore */ /* webpackIgnore: true */ specifier) : await load();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (load === undefined && moduleUrl === undefined) {
      const message =
        `transformers embeddings need the package ${PACKAGE}, which cannot be loaded: ${reason}. Run "${INSTALL}"; ` +
        `with a bundler also give load: () => import("${PACKAGE}"), without one moduleUrl`;
      throw new StorageError("UNSUPPORTED", message, { ...EMBED, cause });
    }
    const from = moduleUrl === undefined ? "load()" : moduleUrl;
    throw new StorageError("DRIVER", `${PACKAGE} cannot be loaded from ${from}: ${reason}`, { ...EMBED, cause });
  }
}

function isTransformersModule(value: unknown): value is TransformersModule {
  if (typeof value !== "object" || value === null) return false;
  const { pipeline, env } = value as Partial<Record<keyof TransformersModule, unknown>>;
  return typeof pipeline === "function" && typeof env === "object" && env !== null;
}
