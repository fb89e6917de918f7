import { describe, expect, test } from "vitest";
import { xxh64 } from "../../src/formats/xxh64.ts";
import { builtKernel } from "./built-kernel.ts";
import { EXACT, FILTERED, KernelProbe, type ProbeOptions } from "./kernel-probe.ts";
import { Random } from "./random.ts";

const OPTIONS: ProbeOptions = {
  dimensions: 4,
  metric: "cosine",
  kind: "sq8",
  m: 4,
  efConstruction: 16,
  seed: 1n,
  resident: true,
  maxPages: 100,
  ioBytes: 65536,
};

const normal = (random: Random, dimensions: number): Float32Array =>
  Float32Array.from({ length: dimensions }, () => random.normal());

function filled(options: ProbeOptions, count: number): KernelProbe {
  const random = new Random(1);
  const probe = new KernelProbe(builtKernel, options);
  for (let label = 0; label < count; label++) probe.add(label, normal(random, options.dimensions));
  probe.kernel.link(count);
  return probe;
}

describe("The kernel", () => {
  test("numbers what is wrong with a vector", () => {
    const cosine = new KernelProbe(builtKernel, OPTIONS);
    expect(cosine.add(1, Float32Array.of(1, Number.NaN, 0, 0))).toBe(-2);
    expect(cosine.add(1, Float32Array.of(1, Infinity, 0, 0))).toBe(-2);
    expect(cosine.add(1, new Float32Array(4))).toBe(-3);
    expect(cosine.add(1, Float32Array.of(3e38, 3e38, 3e38, 3e38))).toBe(0);
    const l2 = new KernelProbe(builtKernel, { ...OPTIONS, metric: "l2" });
    expect(l2.add(1, Float32Array.of(1.01e18, 0, 0, 0))).toBe(-4);
    expect(l2.add(1, new Float32Array(4))).toBe(0);
    expect(l2.search(Float32Array.of(0, 0, 0, -Infinity), 1, 0)).toBe(-2);
  });

  test("a refused update leaves the vector that was there", () => {
    const probe = filled(OPTIONS, 1);
    const before = probe.bytes(probe.recordAt(0), probe.kernel.strideBytes()).slice();
    expect(probe.add(0, new Float32Array(4))).toBe(-3);
    expect(probe.bytes(probe.recordAt(0), probe.kernel.strideBytes())).toEqual(before);
  });

  test("an update holds the same bytes as the vector taken in for the first time", () => {
    const random = new Random(8);
    for (let i = 0; i < 200; i++) {
      const vector = normal(random, 4);
      const first = new KernelProbe(builtKernel, OPTIONS);
      first.add(7, vector);
      const updated = new KernelProbe(builtKernel, OPTIONS);
      updated.add(7, normal(random, 4));
      updated.add(7, vector);
      const rowOf = (probe: KernelProbe): Float32Array => probe.floats(probe.kernel.vectorsAt(), 4).slice();
      expect(rowOf(updated)).toEqual(rowOf(first));
    }
  });

  test("a filtered walk without a budget goes to its end, however many distances were computed before", () => {
    const probe = filled(OPTIONS, 200);
    probe.allow(Array.from({ length: 100 }, (_, i) => 2 * i));
    const random = new Random(2);
    expect(probe.search(normal(random, 4), 20, FILTERED)).toBe(20);
    expect(probe.kernel.gaveUp()).toBe(0);
    expect(probe.search(normal(random, 4), 20, FILTERED, 5)).toBeLessThan(20);
    expect(probe.kernel.gaveUp()).toBe(1);
  });

  test("a walk is not misled by what a walk visited 255 walks ago", () => {
    const probe = new KernelProbe(builtKernel, { ...OPTIONS, metric: "l2", dimensions: 2 });
    for (let label = 0; label < 400; label++) {
      const side = label % 2 === 0 ? -1000 : 1000;
      probe.add(label, Float32Array.of(side + (label % 37), label % 41));
    }
    probe.kernel.link(400);
    const nearSide = (side: number): unknown => probe.hits(probe.search(Float32Array.of(side + 15, 15), 10, 0));
    const first = nearSide(-1000);
    for (let i = 0; i < 254; i++) nearSide(1000);
    expect(nearSide(-1000)).toEqual(first);
  });

  test("a flat index has nothing to link", () => {
    const probe = filled({ ...OPTIONS, m: 0 }, 10);
    expect(probe.kernel.link(5)).toBe(10);
    expect(probe.search(Float32Array.of(1, 0, 0, 0), 20, EXACT)).toBe(10);
  });

  test("what waits for its links is found at once", () => {
    const probe = filled(OPTIONS, 50);
    const vector = Float32Array.of(9, -3, 0.5, 4);
    probe.add(99, vector);
    expect(probe.kernel.pending()).toBe(1);
    const count = probe.search(vector, 10, 0);
    expect(probe.hits(count)[0]?.label).toBe(99);
  });

  test.each(["cosine", "dot", "l2"] as const)("distances are what they are called (%s)", (metric) => {
    for (const kind of ["sq8", "f32"] as const) {
      const probe = new KernelProbe(builtKernel, { ...OPTIONS, metric, kind, dimensions: 100 });
      const random = new Random(4);
      const vectors = Array.from({ length: 50 }, () => normal(random, 100));
      vectors.forEach((vector, label) => probe.add(label, vector));
      const query = normal(random, 100);
      const count = probe.search(query, 50, EXACT);
      const ownSquare = metric === "l2" && kind === "sq8" ? dot(query, query) : 0;
      for (const hit of probe.hits(count)) {
        const expected = trueDistance(query, vectors[hit.label] as Float32Array, metric) - ownSquare;
        expect(Math.abs(hit.distance - expected)).toBeLessThan(
          kind === "f32" ? 1e-4 : metric === "cosine" ? 0.01 : 1.5,
        );
      }
      probe.kernel.refine(count, 0);
      for (const hit of probe.hits(count)) {
        const expected = trueDistance(query, vectors[hit.label] as Float32Array, metric);
        expect(Math.abs(hit.distance - expected)).toBeLessThan(1e-4);
      }
    }
  });

  test("a batch names the row that is wrong", () => {
    const probe = filled(OPTIONS, 20);
    const at = probe.kernel.ioAt();
    const rows = [Float32Array.of(1, 0, 0, 0), Float32Array.of(0, 2, 0, 0), new Float32Array(4)];
    rows.forEach((row, i) => probe.writeRow(at + 16 * i, row));
    expect(probe.kernel.searchBatch(at, 3, 2, 10, 10, 0, at + 48)).toBe(-3);
    expect(probe.kernel.faultRow.value).toBe(2);
  });

  test("the same calls make the same memory", () => {
    const [a, b] = [filled(OPTIONS, 300), filled(OPTIONS, 300)];
    expect(a.bytes(0, a.kernel.memory.buffer.byteLength)).toEqual(b.bytes(0, b.kernel.memory.buffer.byteLength));
  });

  test("hashes as XXH64 does", () => {
    const probe = new KernelProbe(builtKernel, OPTIONS);
    const random = new Random(6);
    const bytes = Uint8Array.from({ length: 1000 }, () => random.below(256));
    const at = probe.kernel.ioAt();
    probe.bytes(at, bytes.length).set(bytes);
    for (const length of [0, 1, 3, 4, 7, 8, 11, 12, 31, 32, 33, 63, 64, 65, 100, 999]) {
      for (const step of [32, 64, 1024]) {
        probe.kernel.xxh64Begin();
        for (let from = 0; from < length; from += step) {
          probe.kernel.xxh64Update(at + from, Math.min(step, length - from));
        }
        expect(BigInt.asUintN(64, probe.kernel.xxh64End())).toBe(xxh64(bytes.subarray(0, length)));
      }
    }
  });
});

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}

function trueDistance(a: Float32Array, b: Float32Array, metric: ProbeOptions["metric"]): number {
  if (metric === "l2") return a.reduce((sum, value, i) => sum + (value - (b[i] as number)) ** 2, 0);
  return -dot(a, b) / (metric === "cosine" ? Math.sqrt(dot(a, a) * dot(b, b)) : 1);
}
