import { StorageError } from "../errors.ts";

/** What a statement does, as its first words tell.
 *  - `read`: SELECT, VALUES, WITH … SELECT, EXPLAIN
 *  - `change`: INSERT, UPDATE, DELETE, REPLACE, also behind WITH
 *  - `pragma`: PRAGMA
 *  - `control`: BEGIN, COMMIT, END, ROLLBACK, SAVEPOINT, RELEASE: not for callers, `transaction()` issues them
 *  - `schema`: everything else (CREATE, ALTER, DROP, VACUUM, ATTACH, …) */
export type SqlStatementKind = "read" | "change" | "pragma" | "control" | "schema";

/** One statement, read as far as a driver needs it. */
export interface SqlStatementText {
  kind: SqlStatementKind;
  /** The highest `$n` in the text: the number of parameters the statement takes. */
  parameterCount: number;
  /** Offsets of the `$` of every parameter, ascending. */
  parameterOffsets: readonly number[];
}

/** SQLite's limit on bound parameters. */
export const MAX_SQL_PARAMETERS = 32_766;

const CHANGES = new Set(["INSERT", "UPDATE", "DELETE", "REPLACE"]);
const READS = new Set(["SELECT", "VALUES", "EXPLAIN"]);
const CONTROLS = new Set(["BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"]);

type Token = "word" | "quoted" | "parameter" | "end" | "other";

const WORD_START = /[A-Za-z0-9_\u0080-\uffff]/;
const TOKEN =
  /\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[A-Za-z0-9_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|`(?:[^`]|``)*(?:`|$)|\[[^\]]*(?:\]|$)|\$\d+|::|[\s\S]/gy;

/** Hands the tokens of `sql` to `visit`, without white space and comments. */
function eachToken(sql: string, visit: (token: Token, text: string, offset: number) => void): void {
  TOKEN.lastIndex = 0;
  for (;;) {
    const offset = TOKEN.lastIndex;
    const text = TOKEN.exec(sql)?.[0];
    if (text === undefined) return;
    const first = text[0] as string;
    if (text.startsWith("--") || text.startsWith("/*") || /\s/.test(first)) continue;
    if (WORD_START.test(first)) visit("word", text, offset);
    else if (first === ";") visit("end", text, offset);
    else if (first === "'" || first === '"' || first === "`" || first === "[") visit("quoted", text, offset);
    else if (first === "?" || first === "$" || first === "@" || text === ":") visit("parameter", text, offset);
    else visit("other", text, offset);
  }
}

/** Follows the words of one statement: its kind, and where a trigger's body ends. */
class StatementReader {
  #words = 0;
  #depth = 0;
  #first = "";
  #kind: SqlStatementKind | undefined;
  #trigger = false;
  /** Inside a trigger: 1 after a `;`, 2 after `; END`. */
  #bodyEnd = 0;

  get isEmpty(): boolean {
    return this.#first === "";
  }

  get kind(): SqlStatementKind {
    return this.#kind ?? "schema";
  }

  take(token: Token, text: string): void {
    if (this.isEmpty) this.#first = text;
    if (token === "word") this.#takeWord(text.toUpperCase());
    else if (token !== "end") this.#bodyEnd = 0;
    if (text === "(") this.#depth++;
    if (text === ")") this.#depth--;
  }

  /** Whether a `;` here ends the statement. */
  endsHere(): boolean {
    if (!this.#trigger || this.#bodyEnd === 2) return true;
    this.#bodyEnd = 1;
    return false;
  }

  #takeWord(word: string): void {
    this.#words++;
    this.#bodyEnd = this.#bodyEnd === 1 && word === "END" ? 2 : 0;
    if (this.#words === 1) this.#first = word;
    if (this.#first === "CREATE" && word === "TRIGGER" && this.#words <= 3) this.#trigger = true;
    if (this.#kind === undefined && this.#depth === 0) this.#kind = this.#kindOf(word);
  }

  #kindOf(word: string): SqlStatementKind | undefined {
    if (this.#words > 1 && this.#first !== "WITH") return "schema";
    if (CHANGES.has(word)) return "change";
    if (READS.has(word)) return "read";
    if (this.#words > 1 || word === "WITH") return undefined;
    if (word === "PRAGMA") return "pragma";
    return CONTROLS.has(word) ? "control" : undefined;
  }
}

function refuse(message: string): never {
  throw new StorageError("INVALID_INPUT", message, { capability: "sql", operation: "prepare" });
}

/** Checks that `sql` is one statement with `$1`-style parameters and tells what drivers need to know of it.
 *  It reads words, quotes and comments, not grammar: the engine does that.
 *  @throws StorageError INVALID_INPUT for an empty text, a second statement, another parameter style (`?`, `:name`,
 *  `@name`), `$0` or a parameter above `$32766`. */
export function readSqlStatement(sql: string): SqlStatementText {
  if (typeof sql !== "string") refuse(`sql must be a text, got ${typeof sql}`);
  const reader = new StatementReader();
  const parameterOffsets: number[] = [];
  let parameterCount = 0;
  let ended = false;
  eachToken(sql, (token, text, offset) => {
    if (token === "end" && reader.endsHere()) {
      ended = ended || !reader.isEmpty;
      return;
    }
    if (ended) refuse(`sql must be one statement; a second starts at character ${offset}: ${text}`);
    reader.take(token, text);
    if (token !== "parameter") return;
    const number = Number(text.slice(1));
    if (!/^\$\d+$/.test(text) || number < 1 || number > MAX_SQL_PARAMETERS) {
      refuse(`sql parameters are $1 to $${MAX_SQL_PARAMETERS}; found ${text} at character ${offset}`);
    }
    parameterOffsets.push(offset);
    parameterCount = Math.max(parameterCount, number);
  });
  if (reader.isEmpty) refuse("sql must be one statement, got none");
  return { kind: reader.kind, parameterCount, parameterOffsets };
}

/** Cuts a script into its statements, in order, without their `;`. Trigger bodies stay whole. */
export function splitSqlScript(script: string): string[] {
  const statements: string[] = [];
  let reader = new StatementReader();
  let start = -1;
  let end = 0;
  const finish = (): void => {
    if (!reader.isEmpty) statements.push(script.slice(start, end));
    reader = new StatementReader();
    start = -1;
  };
  eachToken(script, (token, text, offset) => {
    if (token === "end" && reader.endsHere()) {
      finish();
      return;
    }
    if (start < 0) start = offset;
    end = offset + text.length;
    reader.take(token, text);
  });
  finish();
  return statements;
}
