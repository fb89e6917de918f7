/** Where everything lies in linear memory, and the parameters of the one index that an instance holds. */

// Vector kinds and metrics, as the host passes them.
export const KIND_F32: u32 = 0;
export const METRIC_COSINE: u32 = 0;
export const METRIC_L2: u32 = 2;

/** No slot: the end of a list of links. */
export const NONE: u32 = 0xffffffff;
/** Levels a node may have above layer 0. */
export const MAX_LEVEL: u32 = 15;
/** Values of `levels` that are no level. */
export const FREE: u32 = 0xff;
export const PENDING: u32 = 0xfe;

// Scratch, at fixed places below the regions.
/** The query, one f32 a dimension. */
export const QUERY_F32: usize = 0x1000;
/** The query as the walk reads it: i16 (sq8) or f32, zero to the padded end. */
export const QUERY: usize = 0x6000;
/** A node's code, widened the same way. */
export const NODE: usize = 0xb000;
/** Slots at hand, at most 2048. */
export const BATCH: usize = 0x10000;
export const MAX_BATCH: u32 = 2048;
/** Results of a walk: a heap with the worst at the root, then sorted. */
export const RESULTS: usize = 0x12000;
export const MAX_EF: u32 = 4096;
/** Nodes to visit: a heap with the best at the root. */
export const CANDIDATES: usize = 0x1c000;
export const MAX_CANDIDATES: u32 = 16384;
/** Neighbours that were chosen. */
export const SELECTED: usize = 0x3c000;
/** Links of a node while they are chosen anew. */
export const POOL_KEYS: usize = 0x3e000;
/** Free lists of upper blocks, one head a level. */
export const FREE_UPPER: usize = 0x46000;
/** Neighbours of a node that goes. */
export const ORPHANS: usize = 0x46400;
export const REGIONS: usize = 0x46800;

export let dimensions: u32 = 0;
/** Dimensions rounded up to 16. */
export let padded: u32 = 0;
export let metric: u32 = 0;
export let kind: u32 = 0;
/** Links above layer 0. */
export let m: u32 = 0;
/** Links in layer 0: with the two numbers before them they fill 8 m bytes. */
export let m0: u32 = 0;
export let efConstruction: u32 = 0;
export let seed: u64 = 0;
/** Bytes of a record: scale, offset, links of layer 0, code. */
export let stride: u32 = 0;
/** Where the code begins in a record. */
export let codeAt: u32 = 0;
/** Floats of a row of `vectors`: the dimensions rounded up to 4. */
export let rowFloats: u32 = 0;
/** Whether full-precision vectors are kept beside the codes. */
export let resident: bool = false;
/** Most pages of 64 KiB that the memory may have. */
export let maxPages: u32 = 65535;

export let capacity: u32 = 0;
/** Slots that were ever used. */
export let slots: u32 = 0;
/** Vectors that are in, linked or pending. */
export let live: u32 = 0;
export let pending: u32 = 0;
export let freeHead: u32 = NONE;
export let pendingHead: u32 = NONE;
export let pendingTail: u32 = NONE;
export let entry: u32 = NONE;
export let topLevel: u32 = 0;
export let poolCapacity: u32 = 0;
export let poolUsed: u32 = 0;
export let hashMask: u32 = 0;
export let epoch: u32 = 0;
/** Distances computed so far; wraps. */
export let evaluations: u32 = 0;

export let visited: usize = 0;
export let levels: usize = 0;
export let uppers: usize = 0;
export let labels: usize = 0;
export let hash: usize = 0;
export let allowed: usize = 0;
export let pool: usize = 0;
export let records: usize = 0;
export let vectors: usize = 0;
export let io: usize = 0;
export let ioBytes: u32 = 0;
