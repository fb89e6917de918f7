import { KernelProbe, type ProbeOptions, FREE, NONE, PENDING } from "./kernel-probe.ts";

/** What a snapshot holds of a graph: slots without gaps, upper links in their order. */
export interface GraphImage {
  count: number;
  blocks: number;
  entry: number;
  levels: Uint8Array;
  labels: Uint8Array;
  records: Uint8Array;
  /** Links above layer 0. */
  pool: Uint8Array;
}

/** The image of an index: free slots left out. */
export function imageOf(probe: KernelProbe): GraphImage {
  const { kernel, options } = probe;
  const slots = Array.from({ length: probe.slots }, (_, slot) => slot).filter((slot) => probe.level(slot) !== FREE);
  const renumbered = new Map([[NONE, NONE], ...slots.map((slot, i) => [slot, i] as const)]);
  const remap = (links: Uint32Array): void => {
    links.forEach((target, i) => {
      links[i] = renumbered.get(target) as number;
    });
  };
  const stride = kernel.strideBytes();
  const records = new Uint8Array(slots.length * stride);
  const upper: number[] = [];
  slots.forEach((slot, i) => {
    records.set(probe.bytes(probe.recordAt(slot), stride), i * stride);
    const level = probe.level(slot);
    const links = new Uint32Array(records.buffer, i * stride + 8, probe.m0);
    if (level === PENDING) links.fill(NONE);
    else remap(links);
    const top = level === PENDING ? 0 : level;
    for (let at = 1; at <= top; at++) {
      const places = probe.places(slot, at).slice();
      remap(places);
      upper.push(...places);
    }
  });
  return {
    count: slots.length,
    blocks: options.m === 0 ? 0 : upper.length / options.m,
    entry: renumbered.get(kernel.entry() >>> 0) as number,
    levels: Uint8Array.from(slots, (slot) => probe.level(slot)),
    labels: new Uint8Array(Uint32Array.from(slots, (slot) => probe.label(slot)).buffer),
    records,
    pool: new Uint8Array(Uint32Array.from(upper).buffer),
  };
}

/** A kernel that took in this image, sound or not, and what it said to it. */
export function tryImage(
  module: WebAssembly.Module,
  options: ProbeOptions,
  image: GraphImage,
): { probe: KernelProbe; fault: number } {
  const probe = new KernelProbe(module, options);
  const { kernel } = probe;
  if (kernel.beginLoad(image.count, image.blocks) === 0) throw new Error("no room for the image");
  probe.bytes(kernel.levelsAt(), image.levels.length).set(image.levels);
  probe.bytes(kernel.labelsAt(), image.labels.length).set(image.labels);
  probe.bytes(kernel.recordsAt(), image.records.length).set(image.records);
  probe.bytes(kernel.poolAt(), image.pool.length).set(image.pool);
  return { probe, fault: kernel.finishLoad(image.entry) };
}

/** A kernel that took in a sound image. */
export function loadImage(module: WebAssembly.Module, options: ProbeOptions, image: GraphImage): KernelProbe {
  const { probe, fault } = tryImage(module, options, image);
  if (fault !== 0) throw new Error(`a sound image is refused with ${fault}`);
  return probe;
}
