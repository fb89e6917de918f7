import { describe, isSqlValue } from "../../contracts/check-sql-params.ts";
import type { SqlFunctions, SqlValue } from "../../contracts/sql.ts";

/** What a user function threw, until the statement that called it reports its failure. */
export interface FunctionFailure {
  name: string;
  error: unknown;
}

/** The user functions of one connection. SQLite only passes on a text when one throws, so the error waits here. */
export class UserFunctions {
  readonly #functions: SqlFunctions;
  #failure: FunctionFailure | undefined;

  constructor(functions: SqlFunctions) {
    this.#functions = functions;
  }

  names(): string[] {
    return Object.keys(this.#functions);
  }

  /** Calls a function and checks its result. What is thrown is kept for `takeFailure`. */
  call(name: string, args: SqlValue[]): SqlValue {
    try {
      const result: unknown = this.#functions[name]?.(...args);
      if (isSqlValue(result)) return result;
      throw new TypeError(`${name} must return a SQL value, got ${describe(result)}`);
    } catch (error) {
      this.#failure = { name, error };
      throw error;
    }
  }

  takeFailure(): FunctionFailure | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }
}

/** SQL integers come as bigint; those a number holds exactly become one. */
export function narrow(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}
