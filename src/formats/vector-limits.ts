/** Most dimensions of a vector that Lodestore holds. */
export const MAX_DIMENSIONS = 4096;

/** How near two vectors are: cosine similarity, dot product, Euclidean distance. */
export type VectorMetric = "cosine" | "dot" | "l2";
