import { anySignal } from "../../contracts/any-signal.ts";
import {
  checkCompareOptions,
  type CheckedSuite,
  checkNewSuite,
  checkRunOptions,
  requireEvalName,
} from "../../contracts/check-evaluations.ts";
import type { Page, PageRequest } from "../../contracts/documents.ts";
import type {
  EvalCompareOptions,
  EvalComparison,
  EvalQueryResult,
  EvalRun,
  EvalRunFilter,
  EvalRunOptions,
  EvalSuite,
  EvalSuiteInfo,
  Evaluations,
  NewEvalSuite,
} from "../../contracts/evaluations.ts";
import type { SqlDatabase, SqlExecutor } from "../../contracts/sql.ts";
import { type CallSite, requireLookupId } from "../../contracts/validate.ts";
import { StorageError } from "../../errors.ts";
import { RunningWork } from "../running-work.ts";
import { compareRuns } from "./compare-runs.ts";
import { markInterrupted } from "./interrupted-runs.ts";
import { listResults, listRuns, listSuites } from "./list-evaluations.ts";
import type { SearchCall } from "./rank-query.ts";
import { readRun } from "./run-rows.ts";
import { runSuite } from "./run-suite.ts";
import { putSuite, readSuite } from "./suite-rows.ts";

/** What evaluations work with. */
export interface EvaluationParts {
  db: SqlDatabase;
  /** Where rows are written. */
  writable: SqlExecutor;
  search: SearchCall;
  /** Aborted when the store closes. */
  closing: AbortSignal;
}

/** Evaluations of the search of a store, in its database. */
export class StoreEvaluations implements Evaluations {
  readonly #parts: EvaluationParts;
  readonly #live = new Set<string>();
  readonly #running = new RunningWork();

  constructor(parts: EvaluationParts) {
    this.#parts = parts;
  }

  async putSuite(suite: NewEvalSuite): Promise<EvalSuiteInfo> {
    return putSuite(this.#parts.writable, checkNewSuite(at("putSuite"), suite));
  }

  async getSuite(name: string): Promise<EvalSuite | undefined> {
    return readSuite(this.#parts.db, requireLookupId(at("getSuite"), "name", name));
  }

  async listSuites(page?: PageRequest): Promise<Page<EvalSuiteInfo>> {
    return listSuites(this.#parts.db, page);
  }

  async deleteSuite(name: string): Promise<boolean> {
    const { changes } = await this.#parts.writable.run("DELETE FROM eval_suites WHERE name = $1", [
      requireLookupId(at("deleteSuite"), "name", name),
    ]);
    return changes > 0;
  }

  async run(suite: string | NewEvalSuite, options?: EvalRunOptions): Promise<EvalRun> {
    const site = at("run");
    const checked = checkRunOptions(site, options);
    const { db, writable, search, closing } = this.#parts;
    const signal = anySignal(checked.signal, closing);
    const asked = typeof suite === "string" ? await this.#requireSuite(site, suite) : checkNewSuite(site, suite);
    return this.#running.track(runSuite({ db, writable, search, live: this.#live }, asked, checked, signal));
  }

  async getRun(id: string): Promise<EvalRun | undefined> {
    return readRun(this.#parts.db, requireLookupId(at("getRun"), "id", id));
  }

  async listRuns(filter?: EvalRunFilter, page?: PageRequest): Promise<Page<EvalRun>> {
    return listRuns(this.#parts.db, filter, page);
  }

  async listResults(runId: string, page?: PageRequest): Promise<Page<EvalQueryResult>> {
    return listResults(this.#parts.db, requireLookupId(at("listResults"), "runId", runId), page);
  }

  async deleteRun(id: string): Promise<boolean> {
    const params = [requireLookupId(at("deleteRun"), "id", id)];
    return this.#parts.writable.transaction(async (tx) => {
      const { changes } = await tx.run("DELETE FROM eval_runs WHERE eval_run_id = $1 AND status <> 'running'", params);
      if (changes === 0 && (await readRun(tx, id)) !== undefined) {
        throw new StorageError("CONFLICT", `the evaluation run "${id}" is running: cancel it first`, at("deleteRun"));
      }
      return changes > 0;
    });
  }

  async compare(a: string, b: string, options?: EvalCompareOptions): Promise<EvalComparison> {
    const site = at("compare");
    const ids = { a: requireLookupId(site, "a", a), b: requireLookupId(site, "b", b) };
    return compareRuns(this.#parts.db, ids, checkCompareOptions(site, options));
  }

  /** Says of runs whose process ended that they were interrupted: those that came with an archive, too. */
  async settle(): Promise<void> {
    await markInterrupted(this.#parts.db, this.#live);
  }

  /** Waits for runs at hand. */
  idle(): Promise<void> {
    return this.#running.idle();
  }

  async #requireSuite(site: CallSite, name: string): Promise<CheckedSuite> {
    const found = await readSuite(this.#parts.db, requireEvalName(site, "suite", name));
    if (found !== undefined) return found;
    throw new StorageError("NOT_FOUND", `there is no evaluation suite "${name}"`, at("run"));
  }
}

function at(operation: string): { capability: "evaluations"; operation: string } {
  return { capability: "evaluations", operation };
}
