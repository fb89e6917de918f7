import type { SqlDatabase } from "../../contracts/sql.ts";
import type { VectorUpkeep } from "../../contracts/vector-upkeep.ts";

/** Writes what indexes ask for, through a connection that may write. */
export class SqlVectorUpkeep implements VectorUpkeep {
  readonly #db: SqlDatabase;

  constructor(db: SqlDatabase) {
    this.#db = db;
  }

  async pruneLog(generationKey: number, revision: number): Promise<void> {
    await this.#db.transaction(async (tx) => {
      await tx.run("DELETE FROM vector_changes WHERE generation_key = $1 AND change <= $2", [generationKey, revision]);
      await tx.run("UPDATE vector_generations SET log_start = max(log_start, $2) WHERE generation_key = $1", [
        generationKey,
        revision,
      ]);
    });
  }

  async refuseSnapshots(generationKey: number, before: number): Promise<void> {
    await this.#db.run("UPDATE vector_generations SET created_at = max(created_at, $2) WHERE generation_key = $1", [
      generationKey,
      before,
    ]);
  }
}
