import type { Writable } from "node:stream";
import { printable } from "./printable.ts";

/** A stream that may be a terminal. */
export interface OutputStream extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface TerminalOptions {
  stdout: OutputStream;
  stderr: OutputStream;
  env: Readonly<Record<string, string | undefined>>;
  /** Whether the output is for programs. */
  json: boolean;
}

/** Where a command writes: results to stdout, everything about them to stderr. */
export class Terminal {
  readonly json: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderr: OutputStream;
  readonly #stdout: OutputStream;
  /** Whether results are shown, not written to a file or handed to a program. */
  readonly isScreen: boolean;
  readonly #styled: boolean;
  readonly #warned = new Set<string>();

  constructor({ stdout, stderr, env, json }: TerminalOptions) {
    this.json = json;
    this.env = env;
    this.stderr = stderr;
    this.#stdout = stdout;
    this.isScreen = stdout.isTTY === true;
    // https://no-color.org: set and not empty means no colour; bold is left out with it.
    this.#styled = this.isScreen && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  }

  /** Writes lines of the result to stdout. */
  print(...lines: readonly string[]): void {
    this.#stdout.write(`${lines.join("\n")}\n`);
  }

  /** Writes the one object of `--json` to stdout. */
  printJson(value: object): void {
    this.#stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** Writes a remark to stderr; with `--json` there are none. */
  note(...lines: readonly string[]): void {
    if (!this.json) this.stderr.write(`${lines.join("\n")}\n`);
  }

  /** Says what failed and harms nothing, once, with `--json` as an object. */
  warn(error: Error): void {
    if (this.#warned.has(error.message)) return;
    this.#warned.add(error.message);
    const { message } = error;
    const code = "code" in error && typeof error.code === "string" ? error.code : "INTERNAL";
    const text = this.json
      ? JSON.stringify({ warning: { code, message } })
      : `Warning: ${printable(message)} [${code}]`;
    this.stderr.write(`${text}\n`);
  }

  bold(text: string): string {
    return this.#styled && text !== "" ? `\u001B[1m${text}\u001B[22m` : text;
  }

  dim(text: string): string {
    return this.#styled && text !== "" ? `\u001B[2m${text}\u001B[22m` : text;
  }
}
