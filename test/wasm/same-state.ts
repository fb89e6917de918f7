import { expect } from "vitest";
import { FREE, type KernelProbe, PENDING } from "./kernel-probe.ts";
import type { ReferenceIndex } from "./reference/reference-index.ts";
import type { ReferenceNode } from "./reference/reference-node.ts";

const slotsOf = (nodes: Iterable<ReferenceNode>): number[] => Array.from(nodes, ({ slot }) => slot);

/** Sees that the kernel's memory holds what the reference holds, bit for bit. */
export function expectSameState(probe: KernelProbe, reference: ReferenceIndex): void {
  const { kernel } = probe;
  expect({
    slots: probe.slots,
    live: kernel.live(),
    pending: kernel.pending(),
    entry: kernel.entry() | 0,
    topLevel: kernel.topLevel(),
    evaluations: kernel.evaluations() >>> 0,
  }).toEqual({
    slots: reference.slots.length,
    live: reference.byLabel.size,
    pending: reference.pending.size,
    entry: reference.entry?.slot ?? -1,
    topLevel: reference.entry?.level ?? 0,
    evaluations: reference.space.evaluations,
  });
  for (let slot = 0; slot < probe.slots; slot++) {
    const node = reference.slots[slot];
    const level = probe.level(slot);
    if (node === undefined) {
      if (level !== FREE) expect.fail(`slot ${slot} is not free`);
      continue;
    }
    expectSameNode(probe, slot, node);
  }
  expect(freeSlots(probe)).toEqual(reference.free.toReversed());
  if (reference.options.m > 0) expect(pendingSlots(probe)).toEqual(slotsOf(reference.pending));
}

function expectSameNode(probe: KernelProbe, slot: number, node: ReferenceNode): void {
  const where = `slot ${slot}`;
  expectSame(probe.label(slot), node.label, `label of ${where}`);
  expectSame(probe.level(slot), node.level ?? PENDING, `level of ${where}`);
  const record = probe.recordAt(slot);
  const [scale, offset] = probe.floats(record, 2) as unknown as [number, number];
  expectSame(scale, node.code.scale, `scale of ${where}`);
  expectSame(offset, node.code.offset, `offset of ${where}`);
  expectSameNumbers(codeOf(probe, record), node.code.values, `code of ${where}`);
  if (probe.hasRows) {
    const rowFloats = probe.kernel.rowFloats();
    const row = probe.floats(probe.kernel.vectorsAt() + slot * rowFloats * 4, rowFloats);
    // A loaded index has no rows until they are kept.
    if (!Number.isNaN(row[0])) expectSameNumbers(row, node.vector, `row of ${where}`);
  }
  if (node.level === undefined) return;
  for (let level = 0; level <= node.level; level++) {
    const links = slotsOf(node.links[level] as ReferenceNode[]).join(" ");
    expectSame(probe.links(slot, level).join(" "), links, `links of ${where} in layer ${level}`);
  }
}

function codeOf(probe: KernelProbe, record: number): ArrayLike<number> {
  const padded = (probe.options.dimensions + 15) & ~15;
  const at = record + probe.codeAt;
  return probe.options.kind === "f32"
    ? probe.floats(at, padded)
    : new Int8Array(probe.kernel.memory.buffer, at, padded);
}

function expectSame(actual: number | string, expected: number | string, what: string): void {
  if (!Object.is(actual, expected)) expect.fail(`${what}: the kernel holds ${actual}, the reference ${expected}`);
}

/** `actual` may go on with zeros. */
function expectSameNumbers(actual: ArrayLike<number>, expected: number[], what: string): void {
  for (let i = 0; i < actual.length; i++) {
    // Minus zero is as good as zero here.
    if (actual[i] !== (expected[i] ?? 0)) expectSame(actual[i] as number, expected[i] ?? 0, `${what}, number ${i}`);
  }
}

/** Free slots in the order in which they are used again. They hang together by the first word of their records. */
function freeSlots(probe: KernelProbe): number[] {
  const free = new Set<number>();
  const next = new Map<number, number>();
  for (let slot = 0; slot < probe.slots; slot++) {
    if (probe.level(slot) !== FREE) continue;
    free.add(slot);
    next.set(slot, probe.words(probe.recordAt(slot), 1)[0] as number);
  }
  const following = new Set(next.values());
  const [head] = [...free].filter((slot) => !following.has(slot));
  const order: number[] = [];
  for (let slot = head; slot !== undefined && free.has(slot) && order.length <= free.size; slot = next.get(slot)) {
    order.push(slot);
  }
  return order;
}

/** Slots that wait for their links, the first first: a list through the two words before the code's place for links. */
function pendingSlots(probe: KernelProbe): number[] {
  const next = new Map<number, { next: number; previous: number }>();
  for (let slot = 0; slot < probe.slots; slot++) {
    if (probe.level(slot) !== PENDING) continue;
    const [following, previous] = probe.words(probe.recordAt(slot) + 8, 2) as unknown as [number, number];
    next.set(slot, { next: following, previous });
  }
  const order: number[] = [];
  let slot = [...next].find(([, { previous }]) => previous === 0xffffffff)?.[0];
  while (slot !== undefined && order.length <= next.size) {
    const at = next.get(slot);
    if (at === undefined) break;
    expect(at.previous >>> 0).toBe((order.at(-1) ?? -1) >>> 0);
    order.push(slot);
    slot = at.next === 0xffffffff ? undefined : at.next;
  }
  return order;
}
