import type { BlobStore } from "../contracts/blobs.ts";
import type { SqlDatabase } from "../contracts/sql.ts";
import { IndexPolicy, type VectorIndexPolicyOptions } from "./vectors/index-policy.ts";
import { SnapshotStore } from "./vectors/snapshot-store.ts";
import { type SqlVectorParts, SqlVectorStore } from "./vectors/sql-vector-store.ts";

/** What the graph store is made of. */
export interface HnswVectorOptions extends VectorIndexPolicyOptions, Omit<SqlVectorParts, "policy" | "snapshots"> {
  /** Where snapshots of the indexes go, as `_vectors/<name>.lhv1`; without it every opening reads all rows. */
  snapshots?: BlobStore;
}

/** Vectors in an HNSW graph, from a size on at which that is faster than comparing all.
 *  @see Malkov & Yashunin 2016, arXiv:1603.09320 */
export class HnswVectorStore extends SqlVectorStore {
  protected readonly driver = "vectors-hnsw";

  constructor(db: SqlDatabase, options: HnswVectorOptions) {
    const { snapshots, ...parts } = options;
    super(db, {
      ...parts,
      policy: new IndexPolicy(options),
      ...(snapshots === undefined ? {} : { snapshots: new SnapshotStore(snapshots) }),
    });
  }
}
