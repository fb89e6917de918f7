import { describe, expect, test } from "vitest";
import { builtKernel } from "./built-kernel.ts";
import { Differential } from "./differential.ts";
import { expectInvariants } from "./invariants.ts";
import { KernelProbe } from "./kernel-probe.ts";
import { Random } from "./random.ts";
import { samplers } from "./sample-vectors.ts";

const OUT_OF_MEMORY = -1;
const PAGES = 10;

describe.each([
  { kind: "sq8", m: 4, dimensions: 3 },
  { kind: "f32", m: 16, dimensions: 17 },
  { kind: "sq8", m: 0, dimensions: 64 },
] as const)("At the limit of memory ($kind, m $m)", ({ kind, m, dimensions }) => {
  const start = (): Differential =>
    new Differential(
      builtKernel,
      1,
      { kind, m, dimensions, metric: "l2", efConstruction: 8, resident: false, maxPages: PAGES, ioBytes: 8192 },
      4000,
    );

  test("a vector is refused, and everything else goes on as before", () => {
    const differential = start();
    const { probe, reference, random } = differential;
    const sample = samplers(dimensions, "l2")["normal"] as (random: Random) => Float32Array;
    let label = 0;
    while (label < 20_000) {
      const vector = sample(random);
      const slot = probe.add(label, vector);
      if (slot === OUT_OF_MEMORY) break;
      expect(slot).toBe(reference.add(label, vector));
      label++;
    }
    expect(label).toBeLessThan(20_000);
    expect(probe.kernel.memory.buffer.byteLength).toBeLessThanOrEqual(PAGES * 65536);
    expect(probe.kernel.slotOf(label) >>> 0).toBe(0xffffffff);
    differential.compare();

    // An update and a place that was given back need no memory.
    differential.add(0, sample(random));
    differential.remove(5);
    differential.add(label, sample(random));
    expect(probe.add(label + 1, sample(random))).toBe(OUT_OF_MEMORY);
    expect(probe.kernel.reserve(0, 100 * 65536)).toBe(0);
    expect(probe.kernel.beginLoad(1_000_000, 0)).toBe(0);
    differential.searches(20);
  });

  test("memory is used to its end", () => {
    const { probe, random } = start();
    const sample = samplers(dimensions, "l2")["normal"] as (random: Random) => Float32Array;
    let count = 0;
    while (probe.add(count, sample(random)) !== OUT_OF_MEMORY) count++;
    expect(count).toBe(probe.kernel.capacity());
    const unused = PAGES * 65536 - (probe.kernel.ioAt() + 8192);
    // The table of labels doubles: what is left may be too small for that, or for 32 more vectors.
    expect(unused).toBeLessThan(Math.max(33 * (probe.kernel.strideBytes() + 20), 5 * count + 4096));
  });
});

test("where links find no memory, what waits is searched and linked once there is room", () => {
  const options = { kind: "sq8", m: 64, dimensions: 1, metric: "l2", efConstruction: 8, resident: false } as const;
  const differential = new Differential(builtKernel, 2, { ...options, maxPages: 8, ioBytes: 8192 }, 4000);
  const { probe, reference } = differential;
  expect(probe.kernel.reserve(300, 8192)).toBe(1);
  const vector = (label: number): Float32Array => Float32Array.of(label % 97);
  // Labels whose nodes all need links above layer 0.
  let label = 0;
  while (probe.kernel.live() < 300) {
    differential.add(label, vector(label));
    label++;
  }
  let left = probe.kernel.link(1000);
  while (left >= 0 && label < 200_000) {
    // Keeps those that took a block, and replaces the others.
    for (let slot = 0; slot < probe.slots && left >= 0; slot++) {
      if (probe.level(slot) !== 0) continue;
      const old = probe.label(slot);
      reference.link(reference.pending.size - probe.kernel.pending());
      differential.remove(old);
      differential.add(label, vector(label));
      label++;
      left = probe.kernel.link(1);
      if (left >= 0) reference.link(1);
    }
  }
  expect(left).toBe(OUT_OF_MEMORY);
  reference.link(reference.pending.size - probe.kernel.pending());
  expect(probe.kernel.pending()).toBeGreaterThan(0);
  differential.compare();
  differential.searches(20);

  // Nodes that go give their blocks back.
  for (const gone of [...reference.byLabel.values()].filter(({ level }) => level !== undefined)) {
    differential.remove(gone.label);
  }
  differential.link(1000);
  expect(probe.kernel.pending()).toBe(0);
  differential.compare();
});

test("blocks of links are used again: memory does not grow under replacement", () => {
  const random = new Random(9);
  const options = { dimensions: 4, metric: "cosine", kind: "sq8", m: 4, efConstruction: 8, seed: 1n } as const;
  const probe = new KernelProbe(builtKernel, { ...options, resident: false, maxPages: 65535, ioBytes: 4096 });
  const sample = samplers(4, "cosine")["normal"] as (random: Random) => Float32Array;
  const labels: number[] = [];
  const replace = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const at = random.below(1000);
      if (labels[at] !== undefined) probe.kernel.remove(labels[at]);
      labels[at] = random.bits();
      probe.add(labels[at], sample(random));
      probe.kernel.link(1);
    }
  };
  replace(20_000);
  expect(probe.kernel.pending()).toBe(0);
  expectInvariants(probe);
  const blocks = probe.kernel.poolUsed();
  const { byteLength } = probe.kernel.memory.buffer;
  replace(20_000);
  expect(probe.slots).toBe(1000);
  expect(probe.kernel.poolUsed()).toBeLessThan(blocks * 1.1);
  expect(probe.kernel.memory.buffer.byteLength).toBe(byteLength);
  expectInvariants(probe);
});
