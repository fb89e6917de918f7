import { type CallSite, refusal, requireText } from "../../contracts/validate.ts";

/** The two request forms in use. */
export type HttpEmbeddingApi = "openai" | "ollama";

const MAX_URL_LENGTH = 2000;

/** Returns the address to post to. A refused address is not shown: its query or user name may hold a key.
 *  @throws StorageError INVALID_INPUT */
export function requireEndpoint(site: CallSite, value: unknown, api: HttpEmbeddingApi): URL {
  if (typeof value !== "string") requireText(site, "url", value, { max: MAX_URL_LENGTH });
  const text = String(value);
  const url = text.length <= MAX_URL_LENGTH && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw refusal(site, `url takes an absolute http: or https: address of at most ${MAX_URL_LENGTH} characters`);
  }
  if (url.username !== "" || url.password !== "" || url.hash !== "") {
    throw refusal(site, "url takes no user name, password or fragment; a key goes into apiKey or headers");
  }
  url.pathname = api === "openai" ? openAiPath(url.pathname) : ollamaPath(url.pathname);
  return url;
}

function openAiPath(pathname: string): string {
  const path = pathname.replace(/\/+$/, "");
  if (path.endsWith("/embeddings")) return path;
  return /\/v\d+[a-z\d]*$/.test(path) ? `${path}/embeddings` : `${path}/v1/embeddings`;
}

function ollamaPath(pathname: string): string {
  const path = pathname.replace(/\/+$/, "");
  if (path.endsWith("/api/embed")) return path;
  return path.endsWith("/api") ? `${path}/embed` : `${path}/api/embed`;
}

/** Returns the address as messages may show it. */
export function shownEndpoint(endpoint: URL): string {
  return endpoint.origin + endpoint.pathname;
}
