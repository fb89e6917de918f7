import { checkVectorRecords, MAX_VECTOR_BATCH, requireModelVersion } from "../../contracts/check-vectors.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { requireId, requireList } from "../../contracts/validate.ts";
import type { VectorRecord, VectorTable, VectorTableSpec, VectorWriter } from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";
import { chunkKeys, lastOfEach } from "../vectors/vector-batch.ts";
import { oneOfTexts, ofVersion } from "./key-condition.ts";
import { deletedTable } from "./lance-error.ts";
import type { LiveTable } from "./live-table.ts";
import type { OpenTables } from "./open-tables.ts";
import { publicTable } from "../vectors/public-table.ts";
import type { RegisteredTable, TableRegister } from "./table-register.ts";
import type { TableUpkeep } from "./table-upkeep.ts";

/** What the rooms of a store over Lance tables share. */
export interface LanceParts {
  db: SqlDatabase;
  register: TableRegister;
  tables: OpenTables;
  upkeep: TableUpkeep;
  readOnly: boolean;
}

/** Writes Lance tables. */
export class LanceTableWriter implements VectorWriter {
  readonly #parts: LanceParts;
  /** The last change of each table's rows together with its register. */
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(parts: LanceParts) {
    this.#parts = parts;
  }

  /** @throws StorageError UNSUPPORTED where the store is only read */
  checkWritable(operation: string): void {
    if (!this.#parts.readOnly) return;
    const message = "the vector store was opened for reading only";
    throw new StorageError("UNSUPPORTED", message, { capability: "vectors", operation });
  }

  async ensureTable(spec: VectorTableSpec): Promise<VectorTable> {
    this.checkWritable("ensureTable");
    const entry = await this.#parts.register.ensure(spec);
    await this.#forWriting(entry, "ensureTable");
    return publicTable(entry);
  }

  async upsert(indexId: string, records: readonly VectorRecord[]): Promise<void> {
    const site = { capability: "vectors", operation: "upsert" } as const;
    const { db, register, upkeep } = this.#parts;
    const entry = await register.get(indexId, site.operation);
    const checked = lastOfEach(checkVectorRecords(site, records, entry));
    this.checkWritable(site.operation);
    if (checked.length === 0) return;
    const keys = await chunkKeys(db, checked);
    const live = await this.#forWriting(entry, site.operation);
    const versions = new Set(checked.map(({ modelVersion }) => modelVersion));
    await this.#inTurn(indexId, async () => {
      await register.addGenerations(await register.get(indexId, site.operation), versions);
      await live.upsert(site.operation, checked, keys);
    });
    upkeep.note(live);
  }

  async deleteByChunkIds(indexId: string, chunkIds: readonly string[], modelVersion?: string): Promise<number> {
    const site = { capability: "vectors", operation: "deleteByChunkIds" } as const;
    const entry = await this.#parts.register.get(indexId, site.operation);
    const ids = requireList(site, "chunkIds", chunkIds, 0, MAX_VECTOR_BATCH).map((id, i) =>
      requireId(site, `chunkIds[${i}]`, id),
    );
    const version = modelVersion === undefined ? undefined : requireModelVersion(site, "modelVersion", modelVersion);
    this.checkWritable(site.operation);
    if (ids.length === 0) return 0;
    const chosen = oneOfTexts("chunk_id", ids);
    return this.#delete(entry, site.operation, version === undefined ? chosen : `${chosen} AND ${ofVersion(version)}`);
  }

  async deleteGeneration(indexId: string, modelVersion: string): Promise<number> {
    const site = { capability: "vectors", operation: "deleteGeneration" } as const;
    const { register } = this.#parts;
    await register.get(indexId, site.operation);
    requireModelVersion(site, "modelVersion", modelVersion);
    this.checkWritable(site.operation);
    return this.#inTurn(indexId, async () => {
      const entry = await register.get(indexId, site.operation);
      if (!entry.generations.includes(modelVersion)) return 0;
      const deleted = await this.#delete(entry, site.operation, ofVersion(modelVersion));
      await register.dropGeneration(entry, modelVersion);
      return deleted;
    });
  }

  async dropEmptyTable(indexId: string): Promise<boolean> {
    const operation = "dropEmptyTable";
    const { register, tables, upkeep } = this.#parts;
    await register.get(indexId, operation);
    this.checkWritable(operation);
    return this.#inTurn(indexId, async () => {
      const entry = await register.get(indexId, operation);
      if (entry.generations.length > 0) return false;
      // The files first: a table that is registered and has none is made when it is written, one that only has files is nobody's.
      await upkeep.exclusively(() => tables.drop(entry, operation));
      await register.remove(entry);
      return true;
    });
  }

  /** Runs changes of a table one after the other: a version that is struck off the register while others write it would be in the files
   *  and never be searched. */
  #inTurn<T>(indexId: string, change: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(indexId) ?? Promise.resolve()).then(change);
    this.#last.set(
      indexId,
      turn.catch(() => undefined),
    );
    return turn;
  }

  /** The table, made where nothing was ever lost with it.
   *  @throws StorageError CORRUPT: it was deleted, and the database has committed embeddings that were in it */
  async #forWriting(entry: RegisteredTable, operation: string): Promise<LiveTable> {
    const { db, tables } = this.#parts;
    const live = await tables.find(entry, operation);
    if (live !== undefined) return live;
    const lost = await db.get(
      `SELECT 1 FROM embedding_records r WHERE r.status = 'committed' AND r.model_id = $1 AND r.model_version IN
         (SELECT value FROM json_each($3)) AND r.dimensions = $2 LIMIT 1`,
      [entry.modelId, entry.dimensions, JSON.stringify(entry.generations)],
    );
    if (lost !== undefined) throw deletedTable(entry, operation);
    return tables.make(entry, operation);
  }

  async #delete(entry: RegisteredTable, operation: string, condition: string): Promise<number> {
    const { tables, upkeep } = this.#parts;
    const live = await tables.find(entry, operation);
    if (live === undefined) return 0;
    const deleted = await live.delete(operation, condition);
    upkeep.note(live);
    return deleted;
  }
}
