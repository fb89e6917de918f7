/** What `wasm/hnsw.wasm` exports; wasm/README.md says what each does. */
export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  readonly queryAt: { readonly value: number };
  readonly faultRow: { readonly value: number };
  init(
    dimensions: number,
    metric: number,
    kind: number,
    m: number,
    efConstruction: number,
    seed: bigint,
    resident: number,
    maxPages: number,
  ): void;
  reserve(capacity: number, ioBytes: number): number;
  add(label: number): number;
  remove(label: number): number;
  slotOf(label: number): number;
  link(most: number): number;
  allowNone(): void;
  allow(at: number, count: number): number;
  search(ef: number, plan: number, budget: number): number;
  gaveUp(): number;
  refine(count: number, rows: number): number;
  results(count: number, target: number): void;
  resultSlot(i: number): number;
  keep(slot: number, row: number): number;
  searchBatch(
    rows: number,
    count: number,
    k: number,
    ef: number,
    refined: number,
    plan: number,
    target: number,
  ): number;
  beginLoad(count: number, blocks: number): number;
  finishLoad(entry: number): number;
  xxh64Begin(): void;
  xxh64Update(at: number, length: number): void;
  xxh64End(): bigint;
  evaluations(): number;
  ioAt(): number;
  levelsAt(): number;
  labelsAt(): number;
  uppersAt(): number;
  poolAt(): number;
  recordsAt(): number;
  vectorsAt(): number;
  strideBytes(): number;
  rowFloats(): number;
  capacity(): number;
  slots(): number;
  live(): number;
  pending(): number;
  poolUsed(): number;
  entry(): number;
  topLevel(): number;
}

/** Starts an instance of a compiled kernel. */
export function startKernel(module: WebAssembly.Module): KernelExports {
  return new WebAssembly.Instance(module, {}).exports as unknown as KernelExports;
}
