import { isPlainObject } from "../../contracts/validate.ts";
import { StorageError } from "../../errors.ts";
import type { HttpAnswer } from "./http-attempt.ts";
import { shownEndpoint } from "./http-endpoint.ts";
import type { HttpSettings } from "./http-options.ts";

const MAX_SHOWN = 300;
/** The server found the request itself wrong: a text too long, a model that takes no `dimensions`. */
const REQUEST_FAULTS: ReadonlySet<number> = new Set([400, 413, 422]);

/** Returns the error for an answer other than 200: what the server said of it, cut to 300 characters, without keys. */
export function answerError(settings: HttpSettings, answer: HttpAnswer): StorageError {
  const where = shownEndpoint(settings.endpoint);
  const code = REQUEST_FAULTS.has(answer.status) ? "INVALID_INPUT" : "DRIVER";
  const context = { capability: "embedder", operation: "embed" } as const;
  // Browsers hide the status of a redirect that is not followed.
  if (answer.status === 0 || (answer.status >= 300 && answer.status < 400)) {
    const target = withoutSecrets(settings, answer.headers.get("location") ?? "another address");
    const message = `${where} redirects to ${target.slice(0, MAX_SHOWN)}; redirects are not followed, set url`;
    return new StorageError("DRIVER", message, context);
  }
  const said = withoutSecrets(settings, serverMessage(answer.body)).replace(/\s+/g, " ").trim();
  const shown = said.length > MAX_SHOWN ? `${said.slice(0, MAX_SHOWN)}…` : said;
  return new StorageError(code, `${where} answered ${answer.status}${shown === "" ? "" : `: ${shown}`}`, context);
}

/** OpenAI says `{ error: { message } }`, Ollama `{ error }`, others `{ message }` or `{ detail }`, proxies HTML. */
function serverMessage(body: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return body;
  }
  if (!isPlainObject(parsed)) return body;
  const error = isPlainObject(parsed["error"]) ? parsed["error"]["message"] : parsed["error"];
  const said = [error, parsed["message"], parsed["detail"]].find((text) => typeof text === "string");
  return typeof said === "string" ? said : body;
}

/** Blots out what must not be shown, where a server repeats it. */
export function withoutSecrets(settings: HttpSettings, text: string): string {
  return settings.secrets.reduce((shown, secret) => shown.replaceAll(secret, "***"), text);
}
