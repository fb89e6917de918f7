import { throwIfEmbedAborted } from "../../contracts/check-embedder.ts";
import { StorageError } from "../../errors.ts";
import { shownEndpoint } from "./http-endpoint.ts";
import type { HttpSettings } from "./http-options.ts";

/** What a server answered, whatever its status. */
export interface HttpAnswer {
  status: number;
  headers: Headers;
  body: string;
}

/** The connection failed before the answer was whole: worth another attempt. */
export class ConnectionFailure {
  readonly error: StorageError;

  constructor(error: StorageError) {
    this.error = error;
  }
}

const EMBED = { capability: "embedder", operation: "embed" } as const;

/** Sends one request and reads the answer, both within `timeoutMs`. Redirects are not followed: they would carry the key
 *  elsewhere, or turn the POST into a GET.
 *  @throws StorageError TIMEOUT, ABORTED, DRIVER (the answer is larger than `maxAnswerBytes`) */
export async function attempt(
  settings: HttpSettings,
  body: string,
  maxAnswerBytes: number,
  signal: AbortSignal | undefined,
): Promise<HttpAnswer | ConnectionFailure> {
  throwIfEmbedAborted(signal);
  const where = shownEndpoint(settings.endpoint);
  const ended = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    ended.abort();
  }, settings.timeoutMs);
  const onAbort = (): void => ended.abort();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const { endpoint, headers } = settings;
    const response = await fetch(endpoint, { method: "POST", headers, body, redirect: "manual", signal: ended.signal });
    const text = await readText(response, maxAnswerBytes, where);
    return { status: response.status, headers: response.headers, body: text };
  } catch (cause) {
    throwIfEmbedAborted(signal);
    if (late) {
      const message = `${where} did not answer within ${settings.timeoutMs} ms`;
      throw new StorageError("TIMEOUT", message, { ...EMBED, cause });
    }
    if (cause instanceof StorageError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `the connection to ${where} failed: ${reason}`;
    return new ConnectionFailure(new StorageError("DRIVER", message, { ...EMBED, cause }));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    // Lets go of the connection of an answer that was not read to its end; after a whole one it does nothing.
    ended.abort();
  }
}

async function readText(response: Response, maxBytes: number, where: string): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > maxBytes) {
      const message = `${where} answered more than ${maxBytes} bytes (status ${response.status})`;
      throw new StorageError("DRIVER", message, EMBED);
    }
    text += decoder.decode(value, { stream: true });
  }
}
