import {
  type CallSite,
  invalidInput,
  isPlainObject,
  refusal,
  requireObject,
  requireOneOf,
} from "./contracts/validate.ts";
import { checkLancePolicy, type LancePolicyOptions } from "./drivers/lance/lance-policy.ts";
import { checkVectorSettings, type VectorSettings } from "./drivers/vectors/index-policy.ts";

const ENGINES = ["auto", "lance", "hnsw", "flat"] as const;
const OF_LANCE = ["indexAbove", "compactAfter", "keepVersionsMs"];
/** Settings that only a graph has. */
const OF_GRAPHS = ["graphAbove", "m", "efConstruction"];

/** What keeps vectors and finds the nearest of them.
 *  - `lance`: native Lance tables, with the optional packages `@lancedb/lancedb` and `apache-arrow`;
 *  - `hnsw`: tables in the database, and a graph in memory with snapshots on disk;
 *  - `flat`: tables in the database, and the comparison of all;
 *  - `auto`: what the store has; for a new one `lance` where its packages can be loaded, else `hnsw`, which `openReport` says. */
export type VectorEngine = (typeof ENGINES)[number];

/** An engine, or one with its settings; settings of indexes in memory without an engine are those of `hnsw`. */
export type VectorOptions =
  | VectorEngine
  | ({ engine?: "hnsw" | "flat" } & VectorSettings)
  | ({ engine: "lance" } & LancePolicyOptions)
  | { engine: "auto" };

/** An engine with its settings. */
export interface VectorChoice {
  engine: VectorEngine;
  settings: VectorSettings;
  lance: LancePolicyOptions;
}

/** Checks the option `vectors`.
 *  @throws StorageError INVALID_INPUT */
export function checkVectorOptions(site: CallSite, given: unknown): VectorChoice {
  if (typeof given === "string") return choice(requireOneOf(site, "vectors", given, ENGINES));
  if (given === undefined) return choice("auto");
  if (!isPlainObject(given)) {
    throw invalidInput(site, "vectors", given, `${ENGINES.map((name) => `"${name}"`).join(", ")} or an object`);
  }
  const { engine: asked, ...rest } = given;
  const named = asked ?? (Object.keys(rest).length === 0 ? "auto" : "hnsw");
  const engine = requireOneOf({ ...site, within: "vectors" }, "engine", named, ENGINES);
  if (engine === "lance") {
    requireObject(site, "vectors", rest, OF_LANCE);
    checkLancePolicy(site, rest);
    return { ...choice(engine), lance: rest };
  }
  if (engine === "auto") requireObject(site, "vectors", rest, []);
  const settings = checkVectorSettings(site, rest);
  const idle = OF_GRAPHS.find((name) => engine === "flat" && name in settings);
  if (idle !== undefined) throw refusal(site, `vectors.${idle} is about a graph, and the engine "flat" has none`);
  return { ...choice(engine), settings };
}

function choice(engine: VectorEngine): VectorChoice {
  return { engine, settings: {}, lance: {} };
}
