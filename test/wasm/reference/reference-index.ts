import { type Kind, type Metric, type Query, admit, asQuery, encode, exactDistance } from "./arithmetic.ts";
import { levelOf } from "./level.ts";
import { connect, dropLink, firstLink, mend, selectNeighbours } from "./linking.ts";
import { type Near, Nearest, nearer } from "./near.ts";
import type { ReferenceNode } from "./reference-node.ts";
import { Space } from "./space.ts";
import { descend, walk, walkAllowed } from "./walks.ts";

export interface ReferenceOptions {
  dimensions: number;
  metric: Metric;
  kind: Kind;
  m: number;
  efConstruction: number;
  seed: bigint;
}

export interface ReferenceSearch {
  ef: number;
  exact: boolean;
  /** Labels, or none for all. */
  allowed?: number[] | undefined;
  budget?: number;
}

export type NearNode = Near<ReferenceNode>;

/** What the kernel does, in objects and arrays: after the same calls links, levels, results and distances are equal. */
export class ReferenceIndex {
  readonly options: ReferenceOptions;
  readonly space: Space;
  readonly slots: (ReferenceNode | undefined)[] = [];
  /** Slots to use again, the next one last. */
  readonly free: number[] = [];
  readonly pending = new Set<ReferenceNode>();
  readonly byLabel = new Map<number, ReferenceNode>();
  entry: ReferenceNode | undefined;
  gaveUp = false;

  constructor(options: ReferenceOptions) {
    this.options = options;
    this.space = new Space(options.metric, options.kind);
  }

  /** Returns the slot, or what is wrong. */
  add(label: number, vector: Float32Array): number {
    const { metric, kind } = this.options;
    const admitted = admit(vector, metric);
    if (typeof admitted === "number") return admitted;
    this.remove(label);
    const slot = this.free.pop() ?? this.slots.length;
    const code = encode(admitted, metric, kind);
    const node: ReferenceNode = { slot, label, level: undefined, links: [], code, vector: admitted };
    this.slots[slot] = node;
    this.byLabel.set(label, node);
    this.pending.add(node);
    return slot;
  }

  remove(label: number): boolean {
    const node = this.byLabel.get(label);
    if (node === undefined) return false;
    if (node.level === undefined) this.pending.delete(node);
    else this.#unlink(node);
    this.byLabel.delete(label);
    this.slots[node.slot] = undefined;
    this.free.push(node.slot);
    return true;
  }

  /** Links up to `most` that wait. Returns how many still do. */
  link(most: number): number {
    if (this.options.m > 0) {
      for (const node of [...this.pending].slice(0, most)) {
        this.pending.delete(node);
        this.#link(node);
      }
    }
    return this.pending.size;
  }

  /** Returns the nearest, or what is wrong with the vector. */
  search(vector: Float32Array, { ef, exact, allowed, budget = 0xffffffff }: ReferenceSearch): NearNode[] | number {
    const admitted = admit(vector, this.options.metric);
    if (typeof admitted === "number") return admitted;
    const query = asQuery(admitted, this.options.metric, this.options.kind);
    const nodes = allowed && new Set(allowed.flatMap((label) => this.byLabel.get(label) ?? []));
    if (exact) return this.#scan(query, this.byLabel.values(), ef, nodes, []);
    let found: NearNode[] = [];
    if (this.entry !== undefined) {
      const start = descend(this.space, query, this.entry, 0);
      if (nodes === undefined) {
        found = walk(this.space, query, 0, start, ef);
      } else {
        ({ found, gaveUp: this.gaveUp } = walkAllowed(this.space, query, start, ef, budget, nodes));
      }
    }
    return this.options.m > 0 ? this.#scan(query, this.pending, ef, nodes, found) : found;
  }

  /** Puts the first `count` in the order of full precision: of the kept vectors, or of these, taken in anew. */
  refine(vector: Float32Array, found: NearNode[], count: number, rows?: Float32Array[]): NearNode[] {
    const { metric, kind } = this.options;
    if (kind === "f32") return found;
    const query = admit(vector, metric) as number[];
    const first = found.slice(0, count).map(({ node }, i) => {
      const row = rows === undefined ? node.vector : (admit(rows[i] as Float32Array, metric) as number[]);
      return { node, distance: exactDistance(query, row, metric) };
    });
    return [...first.sort(nearer), ...found.slice(count)];
  }

  /** Becomes what a snapshot of it is once loaded: slots without gaps, those that wait in their order, no distance counted. */
  renumber(): void {
    const nodes = this.slots.filter((node) => node !== undefined);
    nodes.forEach((node, slot) => {
      node.slot = slot;
    });
    this.slots.splice(0, this.slots.length, ...nodes);
    this.free.length = 0;
    this.pending.clear();
    for (const node of nodes) if (node.level === undefined) this.pending.add(node);
    this.space.evaluations = 0;
    this.gaveUp = false;
  }

  /** Puts a vector in the place of one that was kept. */
  keep(slot: number, vector: Float32Array): void {
    (this.slots[slot] as ReferenceNode).vector = admit(vector, this.options.metric) as number[];
  }

  #scan(
    query: Query,
    nodes: Iterable<ReferenceNode>,
    ef: number,
    allowed: Set<ReferenceNode> | undefined,
    found: NearNode[],
  ): NearNode[] {
    const nearest = new Nearest<ReferenceNode>(ef, found);
    for (const node of nodes) {
      if (allowed === undefined || allowed.has(node)) {
        nearest.offer({ node, distance: this.space.distance(query, node.code) });
      }
    }
    return nearest.found;
  }

  /** Malkov & Yashunin 2016, algorithm 1. */
  #link(node: ReferenceNode): void {
    const { m, seed, efConstruction } = this.options;
    const level = levelOf(node.label, seed, m);
    node.level = level;
    node.links = Array.from({ length: level + 1 }, () => []);
    const { entry } = this;
    if (entry === undefined) {
      this.entry = node;
      return;
    }
    const top = entry.level as number;
    const query = this.space.queryOf(node);
    let start = descend(this.space, query, entry, level);
    for (let at = Math.min(level, top); at >= 0; at--) {
      const found = walk(this.space, query, at, start, efConstruction);
      start = found[0] as NearNode;
      selectNeighbours(this.space, node, found, m).forEach((selected, i) => {
        const { node: other, distance } = i === 0 ? firstLink(m, found, at) : selected;
        const both = Math.fround(distance + this.space.ownSquare(node));
        connect(this.space, m, node, other, both, at, i === 0);
      });
    }
    if (level > top) this.entry = node;
  }

  #unlink(node: ReferenceNode): void {
    for (let level = node.level as number; level >= 0; level--) {
      const orphans = [...(node.links[level] as ReferenceNode[])];
      for (const orphan of orphans) dropLink(orphan, level, node);
      for (const orphan of orphans) mend(this.space, this.options.m, orphan, orphans, level);
    }
    if (this.entry !== node) return;
    this.entry = undefined;
    for (const other of this.slots) {
      if (other?.level === undefined || other === node) continue;
      if (this.entry === undefined || other.level > (this.entry.level as number)) this.entry = other;
    }
  }
}
