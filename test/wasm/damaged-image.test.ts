import { describe, expect, test } from "vitest";
import { builtKernel } from "./built-kernel.ts";
import { type GraphImage, imageOf, tryImage } from "./graph-image.ts";
import { expectInvariants } from "./invariants.ts";
import { EXACT, FILTERED, KernelProbe, NONE, PENDING, type ProbeOptions } from "./kernel-probe.ts";
import { Random } from "./random.ts";
import { type Sampler, samplers } from "./sample-vectors.ts";

const FLIPS = Number(process.env["LODESTORE_FUZZ_FLIPS"] ?? 120);

const OPTIONS: ProbeOptions = {
  dimensions: 5,
  metric: "l2",
  kind: "sq8",
  m: 4,
  efConstruction: 16,
  seed: 7n,
  resident: false,
  maxPages: 64,
  ioBytes: 8192,
};

const samplerOf = (options: ProbeOptions): Sampler => samplers(options.dimensions, options.metric)["normal"] as Sampler;

/** An image of 120 linked and 5 waiting vectors, some of them deleted before. */
function sampleImage(options: ProbeOptions): GraphImage {
  const random = new Random(3);
  const probe = new KernelProbe(builtKernel, options);
  const sample = samplerOf(options);
  for (let label = 0; label < 140; label++) probe.add(label, sample(random));
  probe.kernel.link(1000);
  for (let label = 0; label < 140; label += 7) probe.kernel.remove(label);
  for (let label = 200; label < 205; label++) probe.add(label, sample(random));
  expectInvariants(probe);
  return imageOf(probe);
}

function copyOf(image: GraphImage): GraphImage {
  return {
    ...image,
    levels: image.levels.slice(),
    labels: image.labels.slice(),
    records: image.records.slice(),
    pool: image.pool.slice(),
  };
}

/** Does everything to an index that may be done to it: it must neither trap nor stop being in order. */
function useUp(probe: KernelProbe): void {
  const { kernel, options } = probe;
  const random = new Random(5);
  const sample = samplerOf(options);
  expectInvariants(probe);
  const search = (): void => {
    for (const plan of [0, EXACT, FILTERED, EXACT | FILTERED]) {
      const count = probe.search(sample(random), 40, plan);
      expect(probe.hits(count)).toHaveLength(count);
    }
  };
  const labels = Array.from({ length: probe.slots }, (_, slot) => probe.label(slot));
  expect(probe.allow(labels.slice(0, 40))).toBe(Math.min(40, labels.length));
  search();
  kernel.link(1000);
  for (const label of labels.slice(0, 60)) expect(kernel.remove(label)).toBe(1);
  for (let label = 1000; label < 1040; label++) probe.add(label, sample(random));
  kernel.link(1000);
  search();
  expectInvariants(probe);
  for (const label of labels.slice(60)) expect(kernel.remove(label)).toBe(1);
  search();
  expectInvariants(probe);
}

function expectRefusedOrSane(options: ProbeOptions, image: GraphImage): number {
  const { probe, fault } = tryImage(builtKernel, options, image);
  if (fault === 0) useUp(probe);
  else expect(fault).toBeLessThanOrEqual(6);
  return fault;
}

describe.each([
  OPTIONS,
  { ...OPTIONS, kind: "f32", metric: "cosine" },
  { ...OPTIONS, m: 5, resident: true, metric: "dot" },
] satisfies ProbeOptions[])("An image ($kind, $metric, m $m)", (options) => {
  const image = sampleImage(options);

  test("that is sound is taken in", () => {
    expect(expectRefusedOrSane(options, image)).toBe(0);
  });

  test.each(["levels", "labels", "records", "pool"] as const)(
    "with a bit of its %s flipped is refused or sane",
    (part) => {
      const random = new Random(part.length);
      let refused = 0;
      for (let i = 0; i < FLIPS; i++) {
        const damaged = copyOf(image);
        const at = random.below(damaged[part].length);
        (damaged[part][at] as number) ^= 1 << random.below(8);
        if (expectRefusedOrSane(options, damaged) !== 0) refused++;
      }
      // Every level is told by another number of blocks, or leaves links where no links may be.
      if (part === "levels" || part === "pool") expect(refused).toBe(FLIPS);
    },
  );

  test("with a flipped bit among its links is refused", () => {
    const random = new Random(11);
    const stride = image.records.length / image.count;
    for (let i = 0; i < FLIPS; i++) {
      const damaged = copyOf(image);
      const slot = random.below(image.count);
      if (image.levels[slot] === PENDING) continue;
      const at = slot * stride + 8 + random.below(4 * (2 * options.m - 2));
      (damaged.records[at] as number) ^= 1 << random.below(8);
      expect(expectRefusedOrSane(options, damaged)).not.toBe(0);
    }
  });

  test("with links that only one end knows, or that stand twice, is refused", () => {
    const stride = image.records.length / image.count;
    const linksOf = (from: GraphImage, slot: number): Uint32Array =>
      new Uint32Array(from.records.buffer, slot * stride + 8, 2 * options.m - 2);
    const slot = image.levels.findIndex((level, i) => level !== PENDING && linksOf(image, i)[1] !== NONE);
    const count = linksOf(image, slot).filter((target) => target !== NONE).length;

    const oneWay = copyOf(image);
    linksOf(oneWay, slot)[count - 1] = NONE;
    expect(expectRefusedOrSane(options, oneWay)).toBe(3);

    const twice = copyOf(image);
    linksOf(twice, slot)[1] = linksOf(twice, slot)[0] as number;
    expect(expectRefusedOrSane(options, twice)).toBe(3);
  });

  test("with a link to one that waits, and back, is refused", () => {
    const stride = image.records.length / image.count;
    const placesOf = (from: GraphImage, slot: number): Uint32Array =>
      new Uint32Array(from.records.buffer, slot * stride + 8, 2 * options.m - 2);
    const waiting = image.levels.indexOf(PENDING);
    const slot = image.levels.findIndex((level, i) => level !== PENDING && placesOf(image, i).includes(NONE));
    const damaged = copyOf(image);
    placesOf(damaged, waiting)[0] = slot;
    const places = placesOf(damaged, slot);
    places[places.indexOf(NONE)] = waiting;
    expect(expectRefusedOrSane(options, damaged)).toBe(3);
  });

  test("with a linked node marked as one that waits is refused", () => {
    for (let slot = 0; slot < image.count; slot++) {
      if (image.levels[slot] !== 0) continue;
      const damaged = copyOf(image);
      damaged.levels[slot] = PENDING;
      expect(expectRefusedOrSane(options, damaged)).not.toBe(0);
    }
  });

  test.each([
    ["scale", 0, Number.NaN],
    ["scale", 0, -1],
    ["scale", 0, Infinity],
    ["offset", 4, Number.NaN],
    ["offset", 4, -Infinity],
  ])("with a %s (at byte %i) of %d is refused", (_, at, value) => {
    const damaged = copyOf(image);
    const stride = image.records.length / image.count;
    new Float32Array(damaged.records.buffer, 3 * stride + at, 1)[0] = value;
    expect(expectRefusedOrSane(options, damaged)).toBe(6);
  });

  test("with two levels exchanged is refused or sane", () => {
    const random = new Random(12);
    for (let i = 0; i < FLIPS / 4; i++) {
      const damaged = copyOf(image);
      const { levels } = damaged;
      const a = random.below(image.count);
      const b = random.below(image.count);
      [levels[a], levels[b]] = [levels[b] as number, levels[a] as number];
      expectRefusedOrSane(options, damaged);
    }
  });

  test("with random bytes in it is refused or sane", () => {
    const random = new Random(13);
    for (let i = 0; i < FLIPS; i++) {
      const damaged = copyOf(image);
      const part = damaged[random.pick(["levels", "labels", "records", "pool"] as const)];
      const from = random.below(part.length);
      const length = Math.min(part.length - from, 1 + random.below(40));
      const value = random.pick([0, 1, 0xfe, 0xff]);
      for (let j = 0; j < length; j++) part[from + j] = random.chance(0.5) ? value : random.below(256);
      expectRefusedOrSane(options, damaged);
    }
  });

  test.each([
    ["entry beyond the end", { entry: image.count }],
    ["entry that is none", { entry: NONE }],
    ["entry that waits", { entry: image.levels.indexOf(PENDING) }],
    ["block too many", { blocks: image.blocks + 1 }],
    ["block too few", { blocks: image.blocks - 1 }],
    ["vector too few", { count: image.count - 1 }],
    ["vector too many", { count: image.count + 1 }],
  ] satisfies [string, Partial<GraphImage>][])(
    "with a wrong number (%s) is refused or sane",
    (_, change: Partial<GraphImage>) => {
      const fits = change.count === undefined || change.count >= image.count;
      const cut = fits ? image : { ...image, levels: image.levels.slice(0, -1), labels: image.labels.slice(0, -4) };
      expectRefusedOrSane(options, { ...cut, ...change });
    },
  );
});

test("counts beyond all memory are refused before anything is laid out", () => {
  const { kernel } = new KernelProbe(builtKernel, OPTIONS);
  const before = kernel.memory.buffer.byteLength;
  for (const [count, blocks] of [
    [0xffffffff, 0],
    [10, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [1 << 20, 0],
  ] as const) {
    expect(kernel.beginLoad(count, blocks)).toBe(0);
  }
  expect(kernel.memory.buffer.byteLength).toBe(before);
});
