import type { Embedder } from "../../contracts/embedder.ts";

const specs = new WeakMap<Embedder, object>();

/** Remembers of which plain data an embedder was made, so that another thread can make its like. Returns the embedder. */
export function rememberSpec<E extends Embedder>(embedder: E, spec: object): E {
  specs.set(embedder, spec);
  return embedder;
}

/** Returns the data that an embedder was made of; `undefined` for one of another kind, and for one whose `embed` was replaced. */
export function rememberedSpec(embedder: Embedder): object | undefined {
  return Object.hasOwn(embedder, "embed") ? undefined : specs.get(embedder);
}
