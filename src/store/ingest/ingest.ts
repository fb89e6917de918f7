import type { SqlExecutor } from "../../contracts/sql.ts";
import type { IngestOptions, IngestReport, IngestSource } from "../../contracts/store.ts";
import { checkIngestOptions, type CheckedIngestOptions, requireIngestSource } from "../../contracts/check-ingest.ts";
import type { SqlDocumentStore } from "../documents/sql-document-store.ts";
import type { JobDesk } from "../jobs/job-desk.ts";
import { type AfterIngest, requireEmbedding } from "./embed-after.ts";
import type { StoreStorage } from "../../contracts/upkeep.ts";
import type { SpareRoom } from "../upkeep/spare-room.ts";
import { requireIngestRoom } from "./ingest-room.ts";
import { ingestAborted } from "./ingest-aborted.ts";
import { IngestRun } from "./ingest-run.ts";

/** What knows of room. */
export interface IngestRoom {
  storage: StoreStorage;
  spare: SpareRoom;
}

/**
 * Takes files in. Reading, parsing and cutting happen outside of transactions; finished documents are written in
 * groups, each document in a savepoint of its own. A commit holds whole documents only, so whatever ends the run —
 * cancel, crash, full disk — every document is in whole or not at all, and the next run skips what is in.
 */
export class Ingest {
  readonly #db: SqlExecutor;
  readonly #documents: SqlDocumentStore;
  readonly #live = new Set<string>();
  readonly #embedding: AfterIngest | undefined;
  readonly #desk: JobDesk;
  readonly #room: IngestRoom;

  constructor(
    db: SqlExecutor,
    documents: SqlDocumentStore,
    desk: JobDesk,
    embedding: AfterIngest | undefined,
    room: IngestRoom,
  ) {
    this.#room = room;
    this.#db = db;
    this.#documents = documents;
    this.#desk = desk;
    this.#embedding = embedding;
  }

  /** Runs to the end of `source`; see `Store.ingest`.
   *  @param resumed Id of the job that goes on with this run. */
  async run(source: IngestSource, options: IngestOptions, resumed?: string): Promise<IngestReport> {
    requireIngestSource(source);
    const checked = checkIngestOptions(options);
    requireEmbedding(checked, this.#embedding);
    if (checked.signal?.aborted === true) throw ingestAborted(checked.signal);
    await requireIngestRoom(this.#db, this.#room.storage, source, checked);
    const job =
      resumed === undefined ? this.#desk.begin("ingest", jobPayload(checked)) : await this.#desk.reopen(resumed);
    const runId = crypto.randomUUID();
    const run = new IngestRun(
      { db: this.#db, documents: this.#documents, desk: this.#desk, job, live: this.#live, spare: this.#room.spare },
      checked,
      runId,
    );
    this.#live.add(runId);
    try {
      await run.run(source);
    } finally {
      this.#live.delete(runId);
      if (checked.embed === "background") this.#embedding?.start();
    }
    if (checked.embed === "wait") await run.embed(this.#embedding);
    await run.settleProgress();
    return run.report;
  }
}

/** What a run is asked to do, as its job keeps it: `Store.ingest` takes it back. */
function jobPayload({ chunking, maxFileBytes, total, sweep: swept, embed, origin }: CheckedIngestOptions): object {
  return { chunking, maxFileBytes, total, sweep: swept, embed, origin };
}
