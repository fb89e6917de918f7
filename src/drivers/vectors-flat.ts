import type { SqlDatabase } from "../contracts/sql.ts";
import { IndexPolicy, type VectorIndexPolicyOptions } from "./vectors/index-policy.ts";
import { type SqlVectorParts, SqlVectorStore } from "./vectors/sql-vector-store.ts";

/** What the exact store is made of. */
export interface FlatVectorOptions
  extends
    Pick<VectorIndexPolicyOptions, "kernel" | "quantization" | "residentBytes" | "maxMemoryBytes" | "storedAs">,
    Omit<SqlVectorParts, "policy" | "snapshots"> {}

/** Vectors that are all compared with every query: exact, without a graph. The oracle of the tests, and what small stores need. */
export class FlatVectorStore extends SqlVectorStore {
  protected readonly driver = "vectors-flat";

  constructor(db: SqlDatabase, options: FlatVectorOptions) {
    super(db, { ...options, policy: new IndexPolicy({ ...options, graphAbove: Number.POSITIVE_INFINITY }) });
  }
}
