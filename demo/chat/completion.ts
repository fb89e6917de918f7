import { CompletionError, errorOfAnswer, saidIn } from "./completion-error.ts";
import { readEvents } from "./sse.ts";

/** A model behind an OpenAI-compatible endpoint. */
export interface ChatEndpoint {
  /** Base address: what `/chat/completions` is put behind. */
  url: string;
  model: string;
  /** Sent as a bearer token; empty for none. */
  key: string;
}

export interface ChatMessage {
  role: "system" | "user" | "assistant";
  content: string;
}

export interface CompletionOptions {
  signal: AbortSignal;
  /** Called with every piece of the answer. */
  onText: (piece: string) => void;
  /** Longest silence, before the answer and within it; 120 s by default: models on small machines read slowly. */
  idleTimeoutMs?: number;
}

export interface Completion {
  text: string;
  /** Whether the model came to its end by itself, and was not cut at its limit of tokens. */
  isWhole: boolean;
}

const MAX_ANSWER_LENGTH = 200_000;
const MAX_ERROR_LENGTH = 16_384;

/** Asks a model, and hands out its answer as it comes. An answer that does not stream is taken, too.
 *  @throws CompletionError; the signal's reason when that aborts
 *  @see https://platform.openai.com/docs/api-reference/chat/create */
export async function complete(
  endpoint: ChatEndpoint,
  messages: readonly ChatMessage[],
  { signal, onText, idleTimeoutMs = 120_000 }: CompletionOptions,
): Promise<Completion> {
  const idle = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => idle.abort(), idleTimeoutMs);
  };
  heard();
  try {
    const response = await post(endpoint, messages, AbortSignal.any([signal, idle.signal]));
    heard();
    if (!response.ok) {
      const body = (await response.text()).slice(0, MAX_ERROR_LENGTH);
      throw errorOfAnswer(response.status, body, response.headers.get("retry-after"), Date.now());
    }
    const type = response.headers.get("content-type") ?? "";
    if (type.includes("html")) throw notUnderstood("a web page");
    return type.includes("json") ? await readWhole(response, onText) : await readStream(response, onText, heard);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (idle.signal.aborted) {
      const seconds = Math.round(idleTimeoutMs / 1000);
      throw new CompletionError("timeout", `The endpoint was silent for ${seconds} s.`, { cause: error });
    }
    if (error instanceof CompletionError) throw error;
    throw new CompletionError("cut-off", "The connection broke before the answer was whole.", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function post(
  { url, model, key }: ChatEndpoint,
  messages: readonly ChatMessage[],
  signal: AbortSignal,
): Promise<Response> {
  try {
    return await fetch(`${url}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(key === "" ? {} : { authorization: `Bearer ${key}` }) },
      body: JSON.stringify({ model, messages, stream: true }),
      signal,
      cache: "no-store",
      credentials: "omit",
      // The texts go to the address that was entered, and are not sent on from there.
      redirect: "error",
      referrerPolicy: "no-referrer",
    });
  } catch (error) {
    if (signal.aborted) throw error;
    const text =
      "The endpoint cannot be reached: it is not there, or it does not allow this page to ask it (CORS). Its server must allow this page’s origin.";
    throw new CompletionError("unreachable", text, { cause: error });
  }
}

async function readWhole(response: Response, onText: (piece: string) => void): Promise<Completion> {
  const body = await response.text();
  const { text, finish } = choiceOf(body, "message");
  if (text === "") throw notUnderstood("nothing");
  const shown = text.slice(0, MAX_ANSWER_LENGTH);
  onText(shown);
  return { text: shown, isWhole: finish !== "length" && shown === text };
}

async function readStream(response: Response, onText: (piece: string) => void, heard: () => void): Promise<Completion> {
  if (response.body === null) throw notUnderstood("nothing");
  let text = "";
  let finish: string | null = null;
  let isDone = false;
  for await (const event of readEvents(response.body)) {
    heard();
    isDone = event.trim() === "[DONE]";
    if (isDone) break;
    const piece = choiceOf(event, "delta");
    finish = piece.finish ?? finish;
    if (piece.text === "") continue;
    text += piece.text;
    onText(piece.text);
    if (text.length > MAX_ANSWER_LENGTH) return { text, isWhole: false };
  }
  if (!isDone && finish === null) {
    if (text === "") throw notUnderstood("nothing");
    throw new CompletionError("cut-off", "The connection ended before the answer did.");
  }
  if (text === "") throw notUnderstood("nothing");
  return { text, isWhole: finish !== "length" };
}

/** What one JSON object adds to the answer. */
function choiceOf(json: string, field: "delta" | "message"): { text: string; finish: string | null } {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw notUnderstood("something else", error);
  }
  const { error, choices } = (value ?? {}) as { error?: unknown; choices?: unknown };
  if (error !== undefined && error !== null) {
    throw new CompletionError("failed", `The model stopped with an error. It says: ${saidIn(json) || "nothing more"}`);
  }
  if (!Array.isArray(choices)) throw notUnderstood("something else");
  // Some servers end with an object that has no choice, only the tokens that were used.
  const choice = choices[0] as { finish_reason?: unknown; delta?: unknown; message?: unknown } | undefined;
  const { content } = (choice?.[field] ?? {}) as { content?: unknown };
  const finish = choice?.finish_reason;
  return { text: textOf(content), finish: typeof finish === "string" ? finish : null };
}

/** Content is a text, or a list of parts of which some are text. */
function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part: { text?: unknown } | null) => (typeof part?.text === "string" ? part.text : "")).join("");
}

function notUnderstood(what: string, cause?: unknown): CompletionError {
  const text = `The endpoint answered with ${what} where an answer of a model should be. Is its address right? It often ends in /v1.`;
  return new CompletionError("not-understood", text, { cause });
}
