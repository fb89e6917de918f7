import { describe, expect, test } from "vitest";
import { builtKernel } from "./built-kernel.ts";
import { expectInvariants, reachableShare } from "./invariants.ts";
import { KernelProbe, type ProbeOptions } from "./kernel-probe.ts";
import { Random } from "./random.ts";

/** Vectors of the test of decay; 20,000 is what issue 3 names. */
const COUNT = Number(process.env["LODESTORE_RECALL_COUNT"] ?? 5000);
const DIMENSIONS = 32;
const K = 10;

const OPTIONS: ProbeOptions = {
  dimensions: DIMENSIONS,
  metric: "cosine",
  kind: "sq8",
  m: 16,
  efConstruction: 100,
  seed: 42n,
  resident: true,
  maxPages: 65535,
  ioBytes: 65536,
};

/** Vectors around centres of their own, `spread` wide. */
function clustered(random: Random, count: number, clusters: number, spread: number): Float32Array[] {
  const vector = (centre?: Float32Array): Float32Array =>
    Float32Array.from({ length: DIMENSIONS }, (_, i) =>
      centre === undefined ? random.normal() : (centre[i] as number) + spread * random.normal(),
    );
  const centres = Array.from({ length: clusters }, () => vector());
  return Array.from({ length: count }, () => vector(random.pick(centres)));
}

function build(vectors: Float32Array[], options: ProbeOptions = OPTIONS): KernelProbe {
  const probe = new KernelProbe(builtKernel, options);
  vectors.forEach((vector, label) => probe.add(label, vector));
  probe.kernel.link(vectors.length);
  return probe;
}

/** Share of the k nearest that a walk finds: what is as near as the k-th nearest counts, so that equal vectors may stand in for
 *  each other. */
function recall(probe: KernelProbe, queries: Float32Array[], ef: number): number {
  let hits = 0;
  for (const query of queries) {
    probe.search(query, 40, 1);
    probe.kernel.refine(40, 0);
    const worst = (probe.hits(K)[K - 1] as { distance: number }).distance;
    const count = probe.search(query, ef, 0);
    probe.kernel.refine(Math.min(count, 40), 0);
    hits += probe.hits(Math.min(count, K)).filter(({ distance }) => distance <= worst).length;
  }
  return hits / (queries.length * K);
}

describe("Recall", () => {
  test("does not decay where half of the vectors are deleted and taken in again", { timeout: 120_000 }, () => {
    const random = new Random(1);
    const vectors = clustered(random, COUNT + 200, 60, 0.4);
    const queries = vectors.splice(COUNT);
    const probe = build(vectors);
    const fresh = recall(probe, queries, 40);
    const half = random.shuffle(vectors.map((_, label) => label)).slice(0, COUNT / 2);
    for (const label of half) probe.kernel.remove(label);
    expect(recall(probe, queries, 40)).toBeGreaterThan(fresh - 0.01);
    for (const label of random.shuffle(half)) {
      probe.add(label, vectors[label] as Float32Array);
      probe.kernel.link(1);
    }
    const again = recall(probe, queries, 40);
    expectInvariants(probe);
    expect(fresh).toBeGreaterThan(0.97);
    expect(again).toBeGreaterThan(fresh - 0.01);
    expect(reachableShare(probe)).toBeGreaterThan(0.999);
  });

  test("does not decay where all vectors are replaced one by one, twice", { timeout: 120_000 }, () => {
    const random = new Random(2);
    const vectors = clustered(random, 2200, 30, 0.4);
    const queries = vectors.splice(2000);
    const probe = build(vectors);
    const fresh = recall(probe, queries, 40);
    for (let i = 0; i < 2 * vectors.length; i++) {
      const label = random.below(vectors.length);
      probe.add(label, vectors[label] as Float32Array);
      probe.kernel.link(1);
    }
    expect(recall(probe, queries, 40)).toBeGreaterThan(fresh - 0.01);
    expect(reachableShare(probe)).toBeGreaterThan(0.999);
  });

  test.each(["cosine", "dot", "l2"] as const)("holds with doubles and a crowd of equal vectors (%s)", (metric) => {
    const random = new Random(3);
    const vectors = clustered(random, 5200, 40, 0.4);
    const queries = vectors.splice(5000);
    const crowd = vectors[7] as Float32Array;
    const doubles = Array.from({ length: 1500 }, () => random.pick(vectors));
    const all = random.shuffle([...vectors, ...doubles, ...Array.from({ length: 2000 }, () => crowd)]);
    const probe = build(all, { ...OPTIONS, metric });
    expect(recall(probe, queries, 100)).toBeGreaterThanOrEqual(0.95);
    expect(reachableShare(probe)).toBeGreaterThan(0.999);
    // The crowd goes: the others still find each other.
    all.forEach((vector, label) => vector === crowd && probe.kernel.remove(label));
    expectInvariants(probe);
    expect(recall(probe, queries, 100)).toBeGreaterThanOrEqual(0.95);
    expect(reachableShare(probe)).toBeGreaterThan(0.999);
  });

  test("holds where a crowd of equal vectors comes first", () => {
    const random = new Random(4);
    const vectors = clustered(random, 2100, 20, 0.4);
    const queries = vectors.splice(2000);
    const crowd = Array.from({ length: 2000 }, () => vectors[7] as Float32Array);
    const probe = build([...crowd, ...vectors]);
    expect(recall(probe, queries, 100)).toBeGreaterThanOrEqual(0.95);
    expect(reachableShare(probe)).toBeGreaterThan(0.999);
  });

  test.each(["cosine", "dot", "l2"] as const)("holds with a crowd of nearly equal vectors (%s)", (metric) => {
    const random = new Random(6);
    const vectors = clustered(random, 3200, 40, 0.4);
    const queries = vectors.splice(3000);
    const crowd = Array.from({ length: 1500 }, () => vectors[7]?.map((value) => value + 1e-6 * random.normal()));
    const all = random.shuffle([...vectors, ...(crowd as Float32Array[])]);
    const probe = build(all, { ...OPTIONS, metric });
    expect(recall(probe, queries, 100)).toBeGreaterThanOrEqual(0.95);
    expect(reachableShare(probe)).toBeGreaterThan(0.999);
  });

  test("holds under dot product with vectors of many lengths", () => {
    const random = new Random(7);
    const vectors = clustered(random, 5200, 60, 0.4);
    const queries = vectors.splice(5000);
    const long = vectors.map((vector) => {
      const length = Math.exp(random.normal() * 0.5);
      return vector.map((value) => value * length);
    });
    const probe = build(long, { ...OPTIONS, metric: "dot" });
    expect(recall(probe, queries, 100)).toBeGreaterThanOrEqual(0.95);
  });

  test.each([
    // So few links hold clusters together only by chance.
    { m: 4, share: 0.99 },
    { m: 5, share: 0.999 },
    { m: 8, share: 0.999 },
  ])("nodes can be reached with few links (m $m), also after deletes", ({ m, share }) => {
    const random = new Random(5);
    const vectors = clustered(random, 4000, 60, 0.2);
    const probe = build(vectors, { ...OPTIONS, m, metric: "l2" });
    expect(reachableShare(probe)).toBeGreaterThan(share);
    for (let label = 0; label < 4000; label += 2) probe.kernel.remove(label);
    expect(reachableShare(probe)).toBeGreaterThan(share);
  });
});
