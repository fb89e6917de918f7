import { expect } from "vitest";
import { imageOf, loadImage } from "./graph-image.ts";
import { expectInvariants } from "./invariants.ts";
import { EXACT, FILTERED, KernelProbe, type ProbeHit, type ProbeOptions } from "./kernel-probe.ts";
import { Random } from "./random.ts";
import { type NearNode, ReferenceIndex } from "./reference/reference-index.ts";
import { expectSameState } from "./same-state.ts";
import { type Sampler, samplers } from "./sample-vectors.ts";

const DIMENSIONS = [1, 2, 3, 15, 16, 17, 31, 33, 64, 100, 384, 1536, 4096];
const LABELS = [0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

const toHits = (found: NearNode[]): ProbeHit[] =>
  found.map(({ node, distance }) => ({ slot: node.slot, label: node.label, distance }));

/** Random calls to the kernel and to the reference, which must agree in all they answer and hold. */
export class Differential {
  probe: KernelProbe;
  readonly reference: ReferenceIndex;
  readonly random: Random;
  readonly #sampler: Sampler;
  readonly #samplers: Sampler[];
  readonly #mostLive: number;
  readonly #module: WebAssembly.Module;

  constructor(module: WebAssembly.Module, seed: number, fixed: Partial<ProbeOptions> = {}, mostLive?: number) {
    const random = new Random(seed);
    this.random = random;
    this.#module = module;
    const dimensions = fixed.dimensions ?? DIMENSIONS[seed % DIMENSIONS.length] ?? 1;
    const options: ProbeOptions = {
      dimensions,
      metric: random.pick(["cosine", "dot", "l2"]),
      kind: random.pick(["sq8", "f32"]),
      // Above half of m = 64 layers are full only with many nodes.
      m: random.pick([0, 4, 4, 5, 5, 16, 64]),
      efConstruction: random.pick([8, 16, 40]),
      seed: BigInt(random.bits()),
      resident: random.chance(0.5),
      maxPages: 65535,
      ioBytes: 64 * (dimensions + 3) * 4 + 65536,
      ...fixed,
    };
    this.probe = new KernelProbe(module, options);
    this.reference = new ReferenceIndex(options);
    const kinds = samplers(dimensions, options.metric);
    this.#samplers = Object.values(kinds);
    this.#sampler = random.chance(0.4) ? (kinds["normal"] as Sampler) : random.pick(this.#samplers);
    this.#mostLive = mostLive ?? Math.max(24, Math.min(220, Math.floor(24_000 / dimensions)));
  }

  /** Does what chance says `steps` times, and compares all after every few. */
  run(steps: number): void {
    for (let step = 1; step <= steps; step++) {
      this.#step();
      if (step % 8 === 0) this.compare();
    }
    this.compare();
  }

  /** Fills it up with linked vectors, at once. */
  fill(count: number): void {
    for (let i = 0; i < count; i++) this.add(this.#newLabel(), this.#vector());
    this.link(count);
    this.compare();
  }

  /** Only searches, which leave everything as it is. */
  searches(count: number): void {
    for (let i = 0; i < count; i++) this.#search();
    this.compare();
  }

  compare(): void {
    expectSameState(this.probe, this.reference);
    expectInvariants(this.probe);
  }

  #vector(): Float32Array {
    const { random } = this;
    return (random.chance(0.9) ? this.#sampler : random.pick(this.#samplers))(random);
  }

  #newLabel(): number {
    const { random } = this;
    if (random.chance(0.05)) return random.pick(LABELS);
    if (random.chance(0.1)) return (random.below(4096) << 20) >>> 0;
    return random.chance(0.5) ? random.below(1000) : random.bits();
  }

  #knownLabel(): number {
    const labels = [...this.reference.byLabel.keys()];
    return labels.length === 0 ? this.#newLabel() : this.random.pick(labels);
  }

  #step(): void {
    const { random, reference } = this;
    const what = random.unit();
    if (reference.byLabel.size > this.#mostLive || what < 0.06) {
      const count = random.chance(0.03) ? reference.byLabel.size : 1 + random.below(6);
      for (let i = 0; i < count; i++) this.remove(random.chance(0.95) ? this.#knownLabel() : this.#newLabel());
    } else if (what < 0.5) {
      const count = 1 + random.below(12);
      for (let i = 0; i < count; i++) {
        this.add(random.chance(0.85) ? this.#newLabel() : this.#knownLabel(), this.#vector());
      }
    } else if (what < 0.52) {
      this.add(this.#knownLabel(), this.#faulty());
    } else if (what < 0.72) {
      this.link(random.chance(0.5) ? 1000 : 1 + random.below(8));
    } else if (what < 0.74) {
      this.#grow();
    } else if (what < 0.75) {
      this.reload();
    } else if (what < 0.94) {
      this.#search();
    } else {
      this.#searchBatch();
    }
  }

  add(label: number, vector: Float32Array): void {
    expect(this.probe.add(label, vector)).toBe(this.reference.add(label, vector));
  }

  remove(label: number): void {
    expect(this.probe.kernel.remove(label) !== 0).toBe(this.reference.remove(label));
    expect(this.probe.kernel.slotOf(label) >>> 0).toBe(0xffffffff);
  }

  link(most: number): void {
    expect(this.probe.kernel.link(most)).toBe(this.reference.link(most));
  }

  /** A vector that neither takes, and that must leave no trace. */
  #faulty(): Float32Array {
    const { metric, dimensions } = this.probe.options;
    const vector = new Float32Array(dimensions);
    const at = this.random.below(dimensions);
    if (metric !== "cosine" && this.random.chance(0.5)) vector[at] = 1.01e18;
    else if (this.random.chance(0.5)) vector[at] = this.random.pick([Number.NaN, Infinity, -Infinity]);
    return vector;
  }

  #grow(): void {
    const { random, probe } = this;
    const capacity = probe.slots + random.below(3000);
    const ioBytes = probe.options.ioBytes + random.below(4) * 4096;
    expect(probe.kernel.reserve(capacity, ioBytes)).toBe(1);
    expect(probe.kernel.capacity()).toBeGreaterThanOrEqual(capacity);
  }

  /** Goes on with a new kernel that a snapshot of this one was loaded into. */
  reload(): void {
    this.probe = loadImage(this.#module, this.probe.options, imageOf(this.probe));
    this.reference.renumber();
    if (!this.probe.hasRows) return;
    const at = this.probe.kernel.ioAt();
    for (const { slot, vector } of this.reference.byLabel.values()) {
      const row = Float32Array.from(vector);
      this.probe.writeRow(at, row);
      expect(this.probe.kernel.keep(slot, at)).toBe(0);
      this.reference.keep(slot, row);
    }
  }

  /** Some labels, known and unknown, some of them twice. */
  #filter(): number[] {
    const share = this.random.pick([0, 0.02, 0.1, 0.5, 0.9, 1]);
    const labels = [...this.reference.byLabel.keys()].filter(() => this.random.chance(share));
    return [...labels, ...labels.slice(0, 3), this.#newLabel()];
  }

  #search(): void {
    const { random, probe, reference } = this;
    const vector = this.random.chance(0.05) ? this.#faulty() : this.#vector();
    const ef = random.pick([1, 2, 10, 64, 300]);
    const exact = random.chance(0.4);
    const allowed = random.chance(0.5) ? this.#filter() : undefined;
    const budget = random.pick([0, 1, 20, 100, 0xffffffff]);
    if (allowed !== undefined) {
      const known = new Set(allowed.filter((label) => reference.byLabel.has(label))).size;
      expect(probe.allow(allowed)).toBe(known);
    }
    const plan = (exact ? EXACT : 0) | (allowed === undefined ? 0 : FILTERED);
    const count = probe.search(vector, ef, plan, budget);
    const found = reference.search(vector, { ef, exact, allowed, budget });
    if (typeof found === "number") {
      expect(count).toBe(found);
      return;
    }
    expect(probe.hits(count)).toEqual(toHits(found));
    expect(probe.kernel.gaveUp() !== 0).toBe(reference.gaveUp);
    this.#refine(vector, found, random.below(count + 1));
  }

  #refine(vector: Float32Array, found: NearNode[], asked: number): void {
    const { probe, reference } = this;
    const given = probe.options.kind === "sq8" && !probe.hasRows;
    const fit = Math.floor(probe.options.ioBytes / (4 * probe.kernel.rowFloats()));
    const count = given ? Math.min(asked, fit) : asked;
    const rows = found.slice(0, count).map(({ node }) => Float32Array.from(node.vector));
    const at = probe.kernel.ioAt();
    if (given) rows.forEach((row, i) => probe.writeRow(at + i * probe.kernel.rowFloats() * 4, row));
    expect(probe.kernel.refine(count, given ? at : 0)).toBe(0);
    const refined = reference.refine(vector, found, count, given ? rows : undefined);
    expect(probe.hits(found.length)).toEqual(toHits(refined));
  }

  #searchBatch(): void {
    const { random, probe, reference } = this;
    const { kernel } = probe;
    const vectors = Array.from({ length: 1 + random.below(6) }, () => this.#vector());
    const k = 1 + random.below(12);
    const ef = k + random.below(30);
    const exact = random.chance(0.5);
    const refined = probe.hasRows || probe.options.kind === "f32" ? random.pick([0, k, ef]) : 0;
    const rowBytes = kernel.rowFloats() * 4;
    const rows = kernel.ioAt();
    const target = rows + vectors.length * rowBytes;
    vectors.forEach((vector, i) => probe.writeRow(rows + i * rowBytes, vector));
    expect(kernel.searchBatch(rows, vectors.length, k, ef, refined, exact ? EXACT : 0, target)).toBe(0);
    vectors.forEach((vector, i) => {
      const at = target + i * (8 + 8 * k);
      const found = reference.search(vector, { ef, exact }) as NearNode[];
      const expected = toHits(reference.refine(vector, found, Math.min(found.length, refined))).slice(0, k);
      expect(probe.words(at, 1)[0]).toBe(expected.length);
      expect(probe.readHits(at + 8, expected.length)).toEqual(
        expected.map(({ label, distance }) => ({ label, distance })),
      );
    });
  }
}
