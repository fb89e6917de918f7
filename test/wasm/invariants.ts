import { expect } from "vitest";
import { FREE, type KernelProbe, NONE, PENDING } from "./kernel-probe.ts";

const MAX_LEVEL = 15;

/** Sees that an index is in order, whatever it went through. */
export function expectInvariants(probe: KernelProbe): void {
  const { kernel } = probe;
  let live = 0;
  let pending = 0;
  let top = 0;
  let linked = 0;
  const labels = new Set<number>();
  const blocks: string[] = new Array<string>(kernel.poolUsed()).fill("lost");
  const take = (first: number, count: number, by: string): void => {
    for (let i = first; i < first + count; i++) {
      if (blocks[i] !== "lost") expect.fail(`block ${i} of ${blocks.length} belongs to ${blocks[i]} and to ${by}`);
      blocks[i] = by;
    }
  };
  for (let slot = 0; slot < probe.slots; slot++) {
    const level = probe.level(slot);
    if (level === FREE) continue;
    live++;
    labels.add(probe.label(slot));
    if (kernel.slotOf(probe.label(slot)) >>> 0 !== slot)
      expect.fail(`label ${probe.label(slot)} of slot ${slot} is not found`);
    if (level === PENDING) {
      pending++;
      continue;
    }
    if (level > MAX_LEVEL) expect.fail(`slot ${slot} has level ${level}`);
    linked++;
    top = Math.max(top, level);
    if (level > 0) take(probe.upper(slot), level, `slot ${slot}`);
    for (let at = 0; at <= level; at++) expectSoundLinks(probe, slot, at);
  }
  for (let count = 1; count <= MAX_LEVEL; count++) {
    for (const first of probe.freeBlocks(count)) take(first, count, `the free ones of ${count}`);
  }
  expect(blocks).not.toContain("lost");
  expect(kernel.poolUsed()).toBeLessThanOrEqual(probe.options.m === 0 ? 0 : probe.slots * MAX_LEVEL);
  expect([kernel.live(), kernel.pending(), labels.size]).toEqual([live, pending, live]);
  const entry = kernel.entry() >>> 0;
  if (linked === 0) expect(entry).toBe(NONE);
  else expect([probe.level(entry), kernel.topLevel()]).toEqual([top, top]);
}

function expectSoundLinks(probe: KernelProbe, slot: number, level: number): void {
  const links = probe.links(slot, level);
  const where = `links of slot ${slot} in layer ${level}: ${links.join(" ")}`;
  const places = probe.places(slot, level);
  if (places.subarray(links.length).some((place) => place !== NONE)) expect.fail(`${where} go on after their end`);
  if (new Set(links).size !== links.length) expect.fail(`${where} hold one twice`);
  for (const target of links) {
    if (target >= probe.slots || target === slot) expect.fail(`${where} lead nowhere`);
    const other = probe.level(target);
    if (other > MAX_LEVEL || other < level) expect.fail(`${where}: ${target} is not in that layer`);
    if (!probe.links(target, level).includes(slot)) expect.fail(`${where}: ${target} does not link back`);
  }
}

/** Share of the linked nodes that a walk from the entry can reach on layer 0. */
export function reachableShare(probe: KernelProbe): number {
  const linked = Array.from({ length: probe.slots }, (_, slot) => slot).filter(
    (slot) => probe.level(slot) <= MAX_LEVEL,
  );
  if (linked.length === 0) return 1;
  const seen = new Set([probe.kernel.entry() >>> 0]);
  for (const slot of seen) for (const target of probe.links(slot, 0)) seen.add(target);
  return seen.size / linked.length;
}
