import type { Answer, AnswerFilter, Answers, NewAnswer } from "../../contracts/answers.ts";
import { checkNewAnswer } from "../../contracts/check-answers.ts";
import type { Page, PageRequest } from "../../contracts/documents.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { type CallSite, requireLookupId } from "../../contracts/validate.ts";
import { ANSWER_COLUMNS, type AnswerRow, toAnswer } from "./answer-rows.ts";
import { listAnswers } from "./list-answers.ts";
import { recordAnswer } from "./record-answer.ts";

/** Answers in a SQL database. */
export class SqlAnswers implements Answers {
  readonly #db: SqlExecutor;

  /** @param db A migrated database, or a transaction on one; the caller closes it. */
  constructor(db: SqlExecutor) {
    this.#db = db;
  }

  async record(answer: NewAnswer): Promise<Answer> {
    return recordAnswer(this.#db, checkNewAnswer(at("record"), answer));
  }

  async get(id: string): Promise<Answer | undefined> {
    const row = await this.#db.get<AnswerRow>(`SELECT ${ANSWER_COLUMNS} FROM answers WHERE answer_id = $1`, [
      requireLookupId(at("get"), "id", id),
    ]);
    return row === undefined ? undefined : toAnswer(row);
  }

  async list(filter?: AnswerFilter, page?: PageRequest): Promise<Page<Answer>> {
    return listAnswers(this.#db, filter, page);
  }

  async delete(id: string): Promise<boolean> {
    const { changes } = await this.#db.run("DELETE FROM answers WHERE answer_id = $1", [
      requireLookupId(at("delete"), "id", id),
    ]);
    return changes > 0;
  }
}

function at(operation: string): CallSite {
  return { capability: "answers", operation };
}
