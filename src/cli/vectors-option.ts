import { usageError } from "./command-error.ts";
import type { Arguments } from "./options.ts";
import { suggest } from "./suggest.ts";
import type { Terminal } from "./terminal.ts";

const VARIABLE = "LODESTORE_VECTORS";

/** What may keep and search vectors. */
export const VECTOR_ENGINES = ["auto", "lance", "hnsw", "flat"] as const;
export type VectorEngineName = (typeof VECTOR_ENGINES)[number];

/** Returns the engine that `--vectors`, else `LODESTORE_VECTORS`, names; `undefined` where neither does.
 *  @throws CommandError (usage) */
export function vectorsFor(args: Arguments, terminal: Terminal): VectorEngineName | undefined {
  const typed = args.text("vectors");
  const fromEnv = terminal.env[VARIABLE];
  const chosen = typed ?? (fromEnv === "" ? undefined : fromEnv);
  if (chosen === undefined) return undefined;
  const engine = VECTOR_ENGINES.find((one) => one === chosen);
  if (engine !== undefined) return engine;
  const meant = suggest(chosen, VECTOR_ENGINES);
  throw usageError(
    args.command,
    `${typed === undefined ? VARIABLE : "--vectors"} got "${chosen}"; it takes ${VECTOR_ENGINES.join(", ")}`,
    meant === undefined ? undefined : `Did you mean: ${meant}`,
  );
}
