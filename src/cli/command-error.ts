import { EXIT } from "./exit-code.ts";

/** What a {@link CommandError} says besides its message. */
export interface CommandErrorDetails {
  /** A code of the store's errors: `INVALID_INPUT`, `NOT_FOUND`. */
  code: string;
  /** The command, as typed. */
  operation: string;
  exitCode: number;
  /** What to do about it: a sentence or a command. */
  hint?: string;
}

/** An error that the command line itself finds; it ends the command with its own exit code. */
export class CommandError extends Error {
  readonly code: string;
  readonly operation: string;
  readonly exitCode: number;
  readonly hint: string | undefined;

  constructor(message: string, details: CommandErrorDetails) {
    super(message);
    this.name = "CommandError";
    this.code = details.code;
    this.operation = details.operation;
    this.exitCode = details.exitCode;
    this.hint = details.hint;
  }
}

/** Returns the error for a command that was typed wrong. */
export function usageError(operation: string, message: string, hint?: string): CommandError {
  return new CommandError(message, {
    code: "INVALID_INPUT",
    operation,
    exitCode: EXIT.usage,
    ...(hint === undefined ? {} : { hint }),
  });
}
