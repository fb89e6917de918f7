import type { Code } from "./arithmetic.ts";

/** A vector of the reference index. */
export interface ReferenceNode {
  slot: number;
  label: number;
  /** Undefined while it waits for its links. */
  level: number | undefined;
  /** Who it is linked with, a list a level. */
  links: ReferenceNode[][];
  code: Code;
  /** The vector at full precision. */
  vector: number[];
}
