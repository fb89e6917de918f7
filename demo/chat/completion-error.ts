/** Why a model gave no whole answer. */
export type CompletionFailure =
  | "unreachable"
  | "refused-key"
  | "not-found"
  | "rate-limited"
  | "timeout"
  | "failed"
  | "cut-off"
  | "not-understood";

/** A model that gave no answer, or half of one. The message is a sentence for people. */
export class CompletionError extends Error {
  readonly failure: CompletionFailure;
  /** What a rate limit asks to wait; `null` where nothing is said. */
  readonly retryAfterMs: number | null;

  constructor(
    failure: CompletionFailure,
    message: string,
    details: { retryAfterMs?: number | null; cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause });
    this.name = "CompletionError";
    this.failure = failure;
    this.retryAfterMs = details.retryAfterMs ?? null;
  }
}

/** The error for an answer that is none: what its status means, and what its body says. */
export function errorOfAnswer(status: number, body: string, retryAfter: string | null, now: number): CompletionError {
  const said = saidIn(body);
  const tail = said === "" ? "" : ` It says: ${said}`;
  if (status === 401 || status === 403) {
    return new CompletionError("refused-key", `The endpoint does not accept the key (${status}).${tail}`);
  }
  if (status === 404) {
    return new CompletionError("not-found", `The endpoint knows no such address or model (404).${tail}`);
  }
  if (status === 429) {
    const retryAfterMs = readRetryAfter(retryAfter, now);
    const wait = retryAfterMs === null ? "later" : `in ${Math.max(1, Math.ceil(retryAfterMs / 1000))} s`;
    return new CompletionError(
      "rate-limited",
      `The endpoint takes no more questions for now (429); try again ${wait}.${tail}`,
      {
        retryAfterMs,
      },
    );
  }
  return new CompletionError("failed", `The endpoint answered with the error ${status}.${tail}`);
}

/** Milliseconds to wait, from a `Retry-After` header: seconds or a date. `null` where it is neither.
 *  @see RFC 9110, section 10.2.3 */
export function readRetryAfter(header: string | null, now: number): number | null {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = /[A-Za-z]/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

const LONGEST_SAID = 300;

/** The message inside an error body: OpenAI's `error.message`, Ollama's `error`, or `detail` and `message` of others; else its text. */
export function saidIn(body: string): string {
  let said: unknown = body.trimStart().startsWith("<") ? "" : body;
  try {
    const value = JSON.parse(body) as unknown;
    said = messageOf(value) ?? "";
  } catch {
    // Not JSON: the text itself.
  }
  const text = typeof said === "string" ? said.replace(/\s+/g, " ").trim() : "";
  return text.length > LONGEST_SAID ? `${text.slice(0, LONGEST_SAID)}…` : text;
}

function messageOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  return messageOf(fields["error"]) ?? messageOf(fields["message"]) ?? messageOf(fields["detail"]);
}
