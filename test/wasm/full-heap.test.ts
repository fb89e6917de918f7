import { expect, test } from "vitest";
import { builtKernel } from "./built-kernel.ts";
import { FILTERED, KernelProbe } from "./kernel-probe.ts";
import { Random } from "./random.ts";
import { admit, encode } from "./reference/arithmetic.ts";
import { ReferenceIndex } from "./reference/reference-index.ts";
import type { ReferenceNode } from "./reference/reference-node.ts";

const COUNT = 100_000;
const DIMENSIONS = 16;
/** Last place of the heap of nodes to visit (wasm/README.md, Memory). */
const LAST_CANDIDATE = 0x1c000 + 16383 * 8;

/** A reference with the graph of a kernel in which all are linked. */
function referenceOf(probe: KernelProbe, vectors: Float32Array[]): ReferenceIndex {
  const { metric, kind } = probe.options;
  const reference = new ReferenceIndex(probe.options);
  const nodes = vectors.map((vector, slot): ReferenceNode => {
    const admitted = admit(vector, metric) as number[];
    const level = probe.level(slot);
    return { slot, label: slot, level, links: [], code: encode(admitted, metric, kind), vector: admitted };
  });
  for (const node of nodes) {
    for (let level = 0; level <= (node.level as number); level++) {
      node.links.push(probe.links(node.slot, level).map((slot) => nodes[slot] as ReferenceNode));
    }
    reference.slots.push(node);
    reference.byLabel.set(node.label, node);
  }
  reference.entry = nodes[probe.kernel.entry()];
  return reference;
}

test("a walk with more to visit than it can hold forgets what the reference forgets", { timeout: 120_000 }, () => {
  const options = { dimensions: DIMENSIONS, metric: "l2", kind: "sq8", m: 16, efConstruction: 8, seed: 1n } as const;
  const probe = new KernelProbe(builtKernel, { ...options, resident: false, maxPages: 65535, ioBytes: 65536 });
  const random = new Random(1);
  const vector = (): Float32Array => Float32Array.from({ length: DIMENSIONS }, () => random.normal());
  const vectors = Array.from({ length: COUNT }, vector);
  vectors.forEach((each, label) => probe.add(label, each));
  probe.kernel.link(COUNT);
  const reference = referenceOf(probe, vectors);
  for (const allowed of [[], [5, 77]]) {
    const query = vector();
    probe.allow(allowed);
    const before = probe.kernel.evaluations() >>> 0;
    const referenceBefore = reference.space.evaluations;
    const hits = probe.hits(probe.search(query, 10, FILTERED));
    const found = reference.search(query, { ef: 10, exact: false, allowed });
    if (typeof found === "number") throw new Error(`refused with ${found}`);
    expect(hits).toEqual(found.map(({ node, distance }) => ({ slot: node.slot, label: node.label, distance })));
    expect((probe.kernel.evaluations() >>> 0) - before).toBe(reference.space.evaluations - referenceBefore);
  }
  expect(probe.words(LAST_CANDIDATE, 2)).not.toEqual(new Uint32Array(2));
});
