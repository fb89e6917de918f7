import type { ChatEndpoint } from "./completion.ts";

/** The model that answers, as a person entered it. */
export interface EndpointChoice {
  endpoint: ChatEndpoint;
  /** Tokens that the passages and the last turns may take of the model's context. */
  contextTokens: number;
  /** Whether the key outlives the tab. */
  isKeyKept: boolean;
}

const CHOICE = "lodestore-chat-model";
const KEY = "lodestore-chat-key";
export const DEFAULT_CONTEXT_TOKENS = 4000;
export const CONTEXT_LIMITS = { min: 500, max: 200_000 } as const;

/** Reads the choice of this browser; `null` where no model is connected, or what is kept cannot be read. */
export function readEndpoint(): EndpointChoice | null {
  try {
    const stored = JSON.parse(localStorage.getItem(CHOICE) ?? "null") as Record<string, unknown> | null;
    const { url, model, contextTokens } = stored ?? {};
    if (typeof url !== "string" || typeof model !== "string" || model === "") return null;
    const keptKey = localStorage.getItem(KEY);
    return {
      endpoint: { url: baseAddress(url), model, key: keptKey ?? sessionStorage.getItem(KEY) ?? "" },
      contextTokens: typeof contextTokens === "number" ? contextTokens : DEFAULT_CONTEXT_TOKENS,
      isKeyKept: keptKey !== null,
    };
  } catch {
    // Another program wrote it, or the browser keeps nothing.
    return null;
  }
}

/** Remembers the choice; the key for this tab alone, unless it is asked to be kept. `null` forgets both. */
export function writeEndpoint(choice: EndpointChoice | null): void {
  localStorage.removeItem(KEY);
  sessionStorage.removeItem(KEY);
  if (choice === null) {
    localStorage.removeItem(CHOICE);
    return;
  }
  const { endpoint, contextTokens, isKeyKept } = choice;
  localStorage.setItem(CHOICE, JSON.stringify({ url: endpoint.url, model: endpoint.model, contextTokens }));
  if (endpoint.key !== "") (isKeyKept ? localStorage : sessionStorage).setItem(KEY, endpoint.key);
}

/** The address that `/chat/completions` is put behind, from what people paste.
 *  @throws Error naming what is wrong with it */
export function baseAddress(entered: string): string {
  let url: URL;
  try {
    url = new URL(entered.trim());
  } catch {
    throw new Error("This is no address: it begins with https:// or http://.");
  }
  const isHere = ["127.0.0.1", "localhost"].includes(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isHere)) {
    throw new Error("Only https:// is taken, and http:// for 127.0.0.1 and localhost.");
  }
  if (url.username !== "" || url.password !== "") throw new Error("Put the key into its own field.");
  if (url.search !== "") throw new Error("The address must not have a “?”: it is followed by /chat/completions.");
  const path = url.pathname.replace(/\/+$/, "").replace(/\/chat\/completions$/, "");
  return `${url.origin}${path}`;
}

/** The host that texts are sent to. */
export function endpointHost({ endpoint }: EndpointChoice): string {
  return new URL(endpoint.url).host;
}
