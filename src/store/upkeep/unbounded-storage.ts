import type { SqlDatabase } from "../../contracts/sql.ts";
import type { PersistReport, RoomEstimate, StoreStorage } from "../../contracts/upkeep.ts";

/** The room of a store of which nobody tells how much there is: one in memory. */
export class UnboundedStorage implements StoreStorage {
  readonly #db: SqlDatabase;

  constructor(db: SqlDatabase) {
    this.#db = db;
  }

  async estimate(): Promise<RoomEstimate> {
    const row = await this.#db.get<{ bytes: number }>(
      "SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size",
    );
    return {
      storeBytes: row?.bytes ?? 0,
      usageBytes: null,
      quotaBytes: null,
      availableBytes: null,
      persisted: await this.#isPersistent(),
    };
  }

  async persist(): Promise<PersistReport> {
    const granted = await this.#isPersistent();
    return { granted, reason: granted ? null : "the store is in memory: it ends with the program" };
  }

  async #isPersistent(): Promise<boolean> {
    return (await this.#db.capabilities()).persistent;
  }
}
