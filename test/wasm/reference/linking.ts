import { type Near, nearer } from "./near.ts";
import type { ReferenceNode } from "./reference-node.ts";
import type { Space } from "./space.ts";

type NearNode = Near<ReferenceNode>;

/** Malkov & Yashunin 2016, algorithm 4: of sorted nodes at most `most`, first those
 *  that are nearer to the base than to any chosen before. */
export function selectNeighbours(space: Space, base: ReferenceNode, found: NearNode[], most: number): NearNode[] {
  const chosen: NearNode[] = [];
  for (const near of found) {
    if (chosen.length === most) break;
    if (near.node === base) continue;
    const limit = Math.fround(near.distance + space.ownSquare(base));
    const nodes = chosen.map(({ node }) => node);
    if (!space.occluded(near.node, limit, nodes)) chosen.push(near);
  }
  return fill(base, found, most, chosen);
}

/** Fills all but a quarter of the places, at least two, with the nearest that were passed over; of those equally far only the first. */
function fill(base: ReferenceNode, found: NearNode[], most: number, chosen: NearNode[]): NearNode[] {
  const enough = most - Math.max(Math.floor(most / 4), 2);
  for (const [i, near] of found.entries()) {
    if (chosen.length >= enough) break;
    const alike = found[i - 1]?.distance === near.distance;
    if (!alike && near.node !== base && !chosen.includes(near)) chosen.push(near);
  }
  return chosen;
}

/** Takes `target` out of a list; the last link takes its place. */
export function dropLink(node: ReferenceNode, level: number, target: ReferenceNode): void {
  const links = linksOf(node, level);
  const at = links.indexOf(target);
  if (at < 0) return;
  const last = links.pop() as ReferenceNode;
  if (last !== target) links[at] = last;
}

/** Links two nodes both ways, where both have room for it or a link worth less. */
export function connect(
  space: Space,
  m: number,
  a: ReferenceNode,
  b: ReferenceNode,
  distance: number,
  level: number,
  forced: boolean,
): void {
  if (linksOf(a, level).includes(b)) return;
  const ofA = victimOf(space, m, a, b, distance, level, forced);
  if (ofA === "refused") return;
  const ofB = victimOf(space, m, b, a, distance, level, forced);
  if (ofB === "refused") return;
  // One that would lose two links for this one might be left with none.
  if (ofA !== undefined && ofA === ofB) return;
  for (const [node, victim] of [
    [a, ofA],
    [b, ofB],
  ] as const) {
    if (victim === undefined) continue;
    dropLink(node, level, victim);
    dropLink(victim, level, node);
  }
  join(a, b, level);
  // This may have been what held the victim to the rest.
  if (forced && ofB !== undefined) join(a, ofB, level);
}

function join(a: ReferenceNode, b: ReferenceNode, level: number): void {
  linksOf(a, level).push(b);
  linksOf(b, level).push(a);
}

function linksOf(node: ReferenceNode, level: number): ReferenceNode[] {
  return node.links[level] as ReferenceNode[];
}

export function roomFor(m: number, level: number): number {
  return level === 0 ? 2 * m - 2 : m;
}

/** The link that `node` gives up for the newcomer; undefined while there is room. */
function victimOf(
  space: Space,
  m: number,
  node: ReferenceNode,
  newcomer: ReferenceNode,
  distance: number,
  level: number,
  forced: boolean,
): ReferenceNode | undefined | "refused" {
  const links = linksOf(node, level);
  const most = roomFor(m, level);
  if (links.length < most) return undefined;
  const query = space.queryOf(node);
  const own = space.ownSquare(node);
  const toItself = Math.fround(space.distance(query, node.code) + own);
  const all: NearNode[] = links.map((other) => ({
    node: other,
    distance: Math.fround(space.distance(query, other.code) + own),
  }));
  all.push({ node: newcomer, distance });
  all.sort(nearer);
  const poor = (other: ReferenceNode): boolean => linksOf(other, level).length <= most >> 2;

  // Of links to equal vectors one is enough.
  const doubles = all.filter((near) => near.distance === toItself);
  for (const double of doubles.slice(1).toReversed()) {
    if (double.node === newcomer) {
      if (!forced) return "refused";
    } else if (!poor(double.node)) {
      return double.node;
    }
  }
  let victim: ReferenceNode | undefined;
  for (let i = all.length - 1; i > 0; i--) {
    const near = all[i] as NearNode;
    if (near.node === newcomer ? forced : poor(near.node)) continue;
    victim ??= near.node;
    const nodes = all.slice(0, i).map((nearerOne) => nearerOne.node);
    if (space.occluded(near.node, near.distance, nodes)) {
      victim = near.node;
      break;
    }
  }
  if (victim === newcomer) return "refused";
  if (victim !== undefined) return victim;
  if (!forced) return "refused";
  const farthest = (all.at(-1) as NearNode).node;
  return farthest === newcomer ? (all.at(-2) as NearNode).node : farthest;
}

const MENDED = 3;

/** Links a neighbour of a node that went to others of them that none of its links covers. */
export function mend(space: Space, m: number, node: ReferenceNode, orphans: ReferenceNode[], level: number): void {
  const links = linksOf(node, level);
  const others = orphans.filter((other) => other !== node && !links.includes(other));
  if (others.length === 0) return;
  const query = space.queryOf(node);
  const own = space.ownSquare(node);
  const found: NearNode[] = others.map((other) => ({
    node: other,
    distance: Math.fround(space.distance(query, other.code) + own),
  }));
  found.sort(nearer);
  // Doubles of the node are as near to everything as it is: they cover nothing.
  const toItself = Math.fround(space.distance(query, node.code) + own);
  const isDouble = (distance: number): boolean => distance === toItself;
  const covers = links.filter((other) => !isDouble(Math.fround(space.distance(query, other.code) + own)));
  let added = 0;
  for (const near of found) {
    if (added === MENDED) break;
    if (space.occluded(near.node, near.distance, covers)) continue;
    connect(space, m, node, near.node, near.distance, level, links.length === 0);
    added++;
    if (!isDouble(near.distance)) covers.push(near.node);
  }
}

/** Of those that are as near as the nearest, the last one that has room, or the nearest itself: the first link of a new node. */
export function firstLink(m: number, found: NearNode[], level: number): NearNode {
  const [nearest] = found as [NearNode];
  const equal = found.filter(({ distance }) => Object.is(distance, nearest.distance));
  return equal.findLast(({ node }) => linksOf(node, level).length < roomFor(m, level)) ?? nearest;
}
