import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { readFvecs } from "../hybrid.ts";
import type { BenchContext } from "../report.ts";
import type { VectorSet } from "./clustered.ts";
import { exactNeighbours, K } from "./truth.ts";

/** A set with the true neighbours of its queries. */
export interface KnownSet {
  set: VectorSet;
  truth: Uint32Array[];
}

/** The real sets of the data folder; what is not there is named. */
export function realSets({ dataDir, progress }: BenchContext): KnownSet[] {
  const sift = join(dataDir, "vectors", "sift5k");
  const arxiv = join(dataDir, "vectors", "arxiv-1k", "ml-arxiv-papers-1k.ndjson.gzip");
  const sets: KnownSet[] = [];
  if (existsSync(sift)) {
    const base = readFvecs(join(sift, "base.fvecs"));
    const queries = readFvecs(join(sift, "query.fvecs"));
    for (const [metric, file] of [
      ["cosine", "gt_cos_100.ivecs"],
      ["l2", "gt_l2_100.ivecs"],
    ] as const) {
      const truth = readIvecs(join(sift, file)).map((row) => row.slice(0, K));
      sets.push({ set: flatSet("sift5k", metric, base, queries), truth });
    }
  } else progress(`suite vectors: no ${sift}: left out`);
  if (existsSync(arxiv)) {
    const rows = gunzipSync(readFileSync(arxiv)).toString("utf8").trim().split("\n");
    const vectors = rows.map((row) => Float32Array.from((JSON.parse(row) as [number, string, number[]])[2]));
    const set = flatSet("arxiv-1k", "cosine", vectors.slice(0, -100), vectors.slice(-100));
    sets.push({ set, truth: exactNeighbours(set) });
  } else progress(`suite vectors: no ${arxiv}: left out`);
  return sets;
}

/** Rows of little-endian int32 dimension and that many int32. */
function readIvecs(path: string): Uint32Array[] {
  const bytes = readFileSync(path);
  const rows: Uint32Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readInt32LE(at);
    const start = at + 4;
    rows.push(Uint32Array.from({ length }, (_, i) => bytes.readInt32LE(start + 4 * i)));
    at = start + 4 * length;
  }
  return rows;
}

/** Under cosine the rows are made unit vectors, as EdgeVec needs them. */
function flatSet(
  name: string,
  metric: "cosine" | "l2",
  base: readonly Float32Array[],
  queries: readonly Float32Array[],
): VectorSet {
  const dimensions = base[0]?.length ?? 0;
  const flat = (rows: readonly Float32Array[]): Float32Array => {
    const out = new Float32Array(rows.length * dimensions);
    for (const [i, row] of rows.entries()) {
      const length = metric === "l2" ? 1 : Math.hypot(...row);
      out.set(
        row.map((value) => value / length),
        i * dimensions,
      );
    }
    return out;
  };
  return {
    name: `${name}, ${metric}, ${base.length} × ${dimensions}`,
    metric,
    dimensions,
    count: base.length,
    base: flat(base),
    queries: flat(queries),
    queryCount: queries.length,
  };
}
