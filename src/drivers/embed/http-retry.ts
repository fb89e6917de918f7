import { embedAborted, throwIfEmbedAborted } from "../../contracts/check-embedder.ts";
import { StorageError } from "../../errors.ts";
import { attempt, ConnectionFailure, type HttpAnswer } from "./http-attempt.ts";
import { answerError } from "./http-failure.ts";
import type { HttpSettings } from "./http-options.ts";

const MAX_BACKOFF_MS = 30_000;
const MAX_RETRY_AFTER_MS = 60_000;

/** Sends a request until it is answered with 200, at most `retries` times again.
 *  @throws StorageError INVALID_INPUT, TIMEOUT, ABORTED, DRIVER */
export async function send(
  settings: HttpSettings,
  body: string,
  maxAnswerBytes: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  for (let tries = 0; ; tries++) {
    const answer = await attempt(settings, body, maxAnswerBytes, signal);
    if (!(answer instanceof ConnectionFailure) && answer.status === 200) return answer.body;
    const error = answer instanceof ConnectionFailure ? answer.error : answerError(settings, answer);
    if (tries >= settings.retries || !isPassing(answer)) throw error;
    const asked = answer instanceof ConnectionFailure ? undefined : retryAfterMs(answer.headers, Date.now());
    if (asked !== undefined && asked > MAX_RETRY_AFTER_MS) {
      const message = `${error.message}; it asks to wait ${Math.ceil(asked / 1000)} s`;
      throw new StorageError(error.code, message, { capability: "embedder", operation: "embed" });
    }
    await wait(asked ?? backoffMs(settings.retryDelayMs, tries), signal);
  }
}

/** Whether the same request may be answered a moment later. */
function isPassing(answer: HttpAnswer | ConnectionFailure): boolean {
  return answer instanceof ConnectionFailure || answer.status === 429 || answer.status >= 500;
}

/** Returns the wait that a Retry-After header asks for: seconds or a date. `undefined` where it is absent or neither.
 *  @see RFC 9110, 10.2.3 */
export function retryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (value === undefined || value === "") return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = /[a-z]/i.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** Exponential, with half of it random: clients that failed together shall not come back together. */
export function backoffMs(retryDelayMs: number, tries: number): number {
  return Math.min(retryDelayMs * 2 ** tries, MAX_BACKOFF_MS) * (0.5 + Math.random() / 2);
}

async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  throwIfEmbedAborted(signal);
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(embedAborted(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
