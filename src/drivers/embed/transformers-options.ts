import { MAX_DIMENSIONS, MAX_EMBED_BATCH, MAX_MODEL_ID_LENGTH } from "../../contracts/check-embedder.ts";
import { MAX_MODEL_VERSION_LENGTH } from "../../contracts/check-embedder.ts";
import { invalidInput, refusal, requireBoolean, requireInteger, requireMatch } from "../../contracts/validate.ts";
import { requireObject, requireOneOf, requireText } from "../../contracts/validate.ts";

/** How the vectors of a text's tokens become one. */
export type Pooling = "mean" | "cls" | "last_token";

/** Where downloaded model files are kept: the two methods of the web's `Cache` that are used. */
export interface ModelCache {
  match(request: string): Promise<Response | undefined>;
  put(request: string, response: Response): Promise<void>;
}

/** Options of `createTransformersEmbedder`. */
export interface TransformersEmbedderOptions {
  /** Folder of the model below `modelPath`, or its name on the Hugging Face Hub: `Xenova/all-MiniLM-L6-v2`. 1 to 200
   *  characters A–Z a–z 0–9 . _ - with at most one slash. Also the embedder's `modelId`. */
  model: string;
  /** 1 to 100 characters, default "1". Raise it when files, `pooling`, `dtype` or a prefix give other vectors. */
  modelVersion?: string;
  /** 1 to 4096; a model that answers any other length is refused. */
  dimensions: number;
  /** As the model's card says; default "mean". "last_token" runs texts one by one, since padding would be pooled. */
  pooling?: Pooling;
  /** Scales vectors to length 1; default true. */
  normalize?: boolean;
  /** Which of the model's files is loaded: "fp32" is `onnx/model.onnx`, "q8" is `onnx/model_quantized.onnx`, …; default
   *  the package's choice, "fp32" on Node and "q8" in browsers. Two of them give two kinds of vectors: see `modelVersion`. */
  dtype?: string;
  /** "cpu", "wasm", "webgpu", …; default the package's choice, "cpu" on Node and "wasm" in browsers. */
  device?: string;
  /** Folder, or `http(s):` address, that holds the model's folder: `/srv/models`, `https://example.org/models`. */
  modelPath?: string;
  /** Folder address that holds the files of `onnxruntime-web/dist`, for browsers. The package's own choice is a CDN, which
   *  is refused where `allowRemote` is false. It stays set for all that uses the package here. */
  wasmPath?: string;
  /** Whether what `modelPath` has not is downloaded from the Hugging Face Hub, and the runtime from a CDN; default false:
   *  no request leaves for either. */
  allowRemote?: boolean;
  /** Where downloaded files are kept: `true` (default) where the package does (browsers: Cache API; Node: a folder in
   *  the package), `false` nowhere, or a cache of your own. */
  cache?: boolean | ModelCache;
  /** Most texts in a call, run as one batch; 1 to 4096, default 32. Memory grows with it and with the longest text. */
  maxBatch?: number;
  /** Put before every document, at most 1,000 characters, default none: `passage: `. */
  documentPrefix?: string;
  /** Put before every query: `query: `. */
  queryPrefix?: string;
  /** Absolute or root-relative address of the package's module, for pages without a bundler: `/vendor/transformers.web.js`. */
  moduleUrl?: string;
  /** Loads the package; bundlers need it to find the package: `() => import("@huggingface/transformers")`. */
  load?: () => Promise<object>;
}

/** Options that are checked and complete. */
export interface TransformersSettings {
  model: string;
  modelVersion: string;
  dimensions: number;
  pooling: Pooling;
  normalize: boolean;
  dtype: string | undefined;
  device: string | undefined;
  modelPath: string | undefined;
  wasmPath: string | undefined;
  allowRemote: boolean;
  cache: boolean | ModelCache;
  maxBatch: number;
  documentPrefix: string;
  queryPrefix: string;
  moduleUrl: string | undefined;
  load: (() => Promise<object>) | undefined;
}

const SITE = { capability: "embedder", operation: "createTransformersEmbedder" } as const;
const KEYS = (
  "model modelVersion dimensions pooling normalize dtype device modelPath wasmPath allowRemote cache maxBatch documentPrefix " +
  "queryPrefix moduleUrl load"
).split(" ");
const MODEL = new RegExp(`^(?!.{${MAX_MODEL_ID_LENGTH + 1}})(?!.*\\.\\.)\\w[\\w.-]*(?:/\\w[\\w.-]*)?$`);
const MODEL_TAKES = `a name of 1 to ${MAX_MODEL_ID_LENGTH} characters A–Z a–z 0–9 . _ - with at most one slash`;

/** @throws StorageError INVALID_INPUT */
export function checkTransformersOptions(options: unknown): TransformersSettings {
  const given = requireObject(SITE, "options", options, KEYS);
  const text = (field: string, max: number): string | undefined =>
    given[field] === undefined ? undefined : requireText(SITE, field, given[field], { max });
  const prefix = (field: string): string => requireText(SITE, field, given[field] ?? "", { min: 0, max: 1000 });
  const { load, cache = true } = given;
  if (load !== undefined && typeof load !== "function") throw invalidInput(SITE, "load", load, "a function");
  if (typeof cache !== "boolean" && !isModelCache(cache)) {
    throw invalidInput(SITE, "cache", cache, "true, false or an object with match and put");
  }
  const settings: TransformersSettings = {
    model: requireMatch(SITE, "model", given["model"], MODEL, MODEL_TAKES),
    modelVersion: text("modelVersion", MAX_MODEL_VERSION_LENGTH) ?? "1",
    dimensions: requireInteger(SITE, "dimensions", given["dimensions"], 1, MAX_DIMENSIONS),
    pooling: requireOneOf<Pooling>(SITE, "pooling", given["pooling"] ?? "mean", ["mean", "cls", "last_token"]),
    normalize: requireBoolean(SITE, "normalize", given["normalize"] ?? true),
    dtype: text("dtype", 20),
    device: text("device", 20),
    modelPath: text("modelPath", 2000),
    wasmPath: text("wasmPath", 2000),
    allowRemote: requireBoolean(SITE, "allowRemote", given["allowRemote"] ?? false),
    cache,
    maxBatch: requireInteger(SITE, "maxBatch", given["maxBatch"] ?? 32, 1, MAX_EMBED_BATCH),
    documentPrefix: prefix("documentPrefix"),
    queryPrefix: prefix("queryPrefix"),
    moduleUrl: text("moduleUrl", 2000),
    load: load as TransformersSettings["load"],
  };
  if (settings.load !== undefined && settings.moduleUrl !== undefined) {
    throw refusal(SITE, "load and moduleUrl both say where the package is; give one of them");
  }
  if (settings.modelPath === undefined && !settings.allowRemote) {
    throw refusal(SITE, "modelPath is missing, and allowRemote is false: there is no place to load the model from");
  }
  return settings;
}

function isModelCache(value: unknown): value is ModelCache {
  if (typeof value !== "object" || value === null) return false;
  const { match, put } = value as Partial<Record<keyof ModelCache, unknown>>;
  return typeof match === "function" && typeof put === "function";
}
