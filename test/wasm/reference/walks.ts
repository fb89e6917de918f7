import type { Query } from "./arithmetic.ts";
import { Candidates } from "./candidates.ts";
import { type Near, Nearest, nearer } from "./near.ts";
import type { ReferenceNode } from "./reference-node.ts";
import type { Space } from "./space.ts";

type NearNode = Near<ReferenceNode>;

/** Goes from the entry down to `level`, always to the nearest neighbour. */
export function descend(space: Space, query: Query, entry: ReferenceNode, level: number): NearNode {
  let best: NearNode = { node: entry, distance: space.distance(query, entry.code) };
  for (let at = entry.level as number; at > level; at--) {
    for (;;) {
      const before = best;
      for (const node of before.node.links[at] as ReferenceNode[]) {
        const near = { node, distance: space.distance(query, node.code) };
        if (nearer(near, best) < 0) best = near;
      }
      if (best === before) break;
    }
  }
  return best;
}

/** Malkov & Yashunin 2016, algorithm 2: the `ef` nearest of a layer, nearest first. */
export function walk(space: Space, query: Query, level: number, start: NearNode, ef: number): NearNode[] {
  const visited = new Set([start.node]);
  const results = new Nearest<ReferenceNode>(ef, [start]);
  const candidates = new Candidates<ReferenceNode>();
  candidates.push(start);
  while (candidates.size > 0) {
    if (results.full && nearer(candidates.nearest, results.found.at(-1) as NearNode) > 0) break;
    const { node } = candidates.take();
    for (const other of node.links[level] as ReferenceNode[]) {
      if (visited.has(other)) continue;
      visited.add(other);
      const near = { node: other, distance: space.distance(query, other.code) };
      if (results.offer(near)) candidates.push(near);
    }
  }
  return results.found;
}

const ENOUGH = 12;
const FEW = 4;
const PLENTY = 32;

/** Nearest allowed nodes of layer 0, and whether the walk gave up after `budget` distances.
 *  @see Patel and others 2024, arXiv:2403.04871 (ACORN) */
export function walkAllowed(
  space: Space,
  query: Query,
  start: NearNode,
  ef: number,
  budget: number,
  allowed: Set<ReferenceNode>,
): { found: NearNode[]; gaveUp: boolean } {
  const visited = new Set([start.node]);
  const results = new Nearest<ReferenceNode>(ef);
  const candidates = new Candidates<ReferenceNode>();
  if (allowed.has(start.node)) results.offer(start);
  candidates.push(start);
  const before = space.evaluations;
  while (candidates.size > 0) {
    const worst = results.found.at(-1);
    if (results.full && worst !== undefined && nearer(candidates.nearest, worst) > 0) break;
    if (space.evaluations - before > budget) return { found: results.found, gaveUp: true };
    const { node } = candidates.take();
    const neighbours = (node.links[0] as ReferenceNode[]).filter((other) => !visited.has(other));
    const next = neighbours.filter((other) => allowed.has(other));
    const barred = neighbours.filter((other) => !allowed.has(other));
    for (const other of next) visited.add(other);
    if (next.length < ENOUGH) {
      for (const between of barred) {
        if (next.length >= PLENTY) break;
        visited.add(between);
        for (const other of between.links[0] as ReferenceNode[]) {
          if (!allowed.has(other) || visited.has(other)) continue;
          visited.add(other);
          next.push(other);
        }
      }
    }
    const through = next.length < FEW ? barred : [];
    for (const other of next) {
      const near = { node: other, distance: space.distance(query, other.code) };
      if (results.offer(near)) candidates.push(near);
    }
    for (const other of through) {
      const near = { node: other, distance: space.distance(query, other.code) };
      if (results.takes(near)) candidates.push(near);
    }
  }
  return { found: results.found, gaveUp: false };
}
