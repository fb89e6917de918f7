import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { tokenVector } from "./tiny-model.ts";

interface Options {
  pooling: "mean" | "cls" | "last_token";
  normalize: boolean;
}

/** What of the package's settings the driver touches, with the package's defaults on Node. */
export interface TinyEnv {
  allowLocalModels: boolean;
  allowRemoteModels: boolean;
  localModelPath: string;
  useBrowserCache: boolean;
  useFSCache: boolean;
  useCustomCache: boolean;
  customCache: unknown;
  backends: { onnx: { wasm?: { wasmPaths?: unknown } } };
}

/** A stand-in for `@huggingface/transformers`: it reads the tiny model's files from where `env` says and computes what the
 *  package computes; embed-transformers.test.ts compares the two where the package is installed. */
export class TinyTransformers {
  readonly env: TinyEnv = {
    allowLocalModels: true,
    allowRemoteModels: true,
    localModelPath: "/models/",
    useBrowserCache: false,
    useFSCache: true,
    useCustomCache: false,
    customCache: null,
    backends: { onnx: {} },
  };
  /** What `pipeline` was called with, and `env` as it was then. */
  readonly loads: { task: string; model: string; options: object; env: TinyEnv }[] = [];
  /** Texts of every run. */
  readonly runs: string[][] = [];
  disposed = 0;
  /** Waited for before a run, so that a test can do something meanwhile. */
  beforeRun: () => Promise<void> = async () => {};

  readonly pipeline = async (task: string, model: string, options: object): Promise<object> => {
    this.loads.push({ task, model, options, env: { ...this.env } });
    const path = join(this.env.localModelPath, model, "tokenizer.json");
    const tokenizer = JSON.parse(await readFile(path, "utf8")) as { model: { vocab: Record<string, number> } };
    const run = async (texts: string[], given: Options): Promise<object> => {
      this.runs.push(texts);
      await this.beforeRun();
      const rows = texts.map((text) => pool(tokenize(text, tokenizer.model.vocab), given));
      return { type: "float32", dims: [rows.length, rows[0]?.length ?? 0], data: Float32Array.from(rows.flat()) };
    };
    const dispose = async (): Promise<void> => {
      this.disposed++;
    };
    return Object.assign(run, { dispose });
  };
}

/** [CLS], words and single marks of punctuation, [SEP]: the first 64, so that a long text loses its [SEP]. */
function tokenize(text: string, vocabulary: Record<string, number>): number[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}\p{C}]/gu) ?? [];
  return [2, ...words.map((word) => vocabulary[word] ?? 1), 3].slice(0, 64);
}

function pool(ids: readonly number[], { pooling, normalize }: Options): number[] {
  const vectors = ids.map(tokenVector);
  const picked = pooling === "mean" ? vectors : [vectors.at(pooling === "cls" ? 0 : -1) ?? []];
  const mean = tokenVector(0).map((_, at) => picked.reduce((sum, row) => sum + (row[at] ?? 0), 0) / picked.length);
  const length = normalize ? Math.hypot(...mean) : 1;
  return mean.map((value) => value / length);
}
