import { MAX_DIMENSIONS, MAX_EMBED_BATCH, MAX_MODEL_ID_LENGTH } from "../../contracts/check-embedder.ts";
import { MAX_MODEL_VERSION_LENGTH } from "../../contracts/check-embedder.ts";
import {
  invalidInput,
  isPlainObject,
  refusal,
  requireBoolean,
  requireInteger,
  requireObject,
} from "../../contracts/validate.ts";
import { requireOneOf, requireText } from "../../contracts/validate.ts";
import { type HttpEmbeddingApi, requireEndpoint } from "./http-endpoint.ts";

/** Options of `createHttpEmbedder`. */
export interface HttpEmbedderOptions {
  /** `http:` or `https:`, without user name and fragment; a query is kept. An address that ends in `/embeddings` (openai)
   *  or `/api/embed` (ollama) is called as it is. Any other is a base: openai appends `/embeddings` where it ends in a
   *  version (`/v1`), else `/v1/embeddings`; ollama appends `/embed` where it ends in `/api`, else `/api/embed`. */
  url: string;
  api: HttpEmbeddingApi;
  /** What the server calls the model, 1 to 200 characters; also the embedder's `modelId`. */
  model: string;
  /** 1 to 100 characters, default "1". Raise it when the server's model, or a prefix, gives other vectors than before. */
  modelVersion?: string;
  /** 1 to 4096; an answer of any other length is refused. */
  dimensions: number;
  /** Sent as `Authorization: Bearer …`, 1 to 4096 visible ASCII characters. Never part of an error. */
  apiKey?: string;
  /** Further request headers, at most 50. Their values are never part of an error either. */
  headers?: Readonly<Record<string, string>>;
  /** Most texts in a call and so in a request, 1 to 4096, default 64. */
  maxBatch?: number;
  /** Bytes of texts in one request, as JSON; 1,024 to 64 MiB, default 1 MiB. A call with more is sent in several requests,
   *  one after the other; a text that is larger alone is refused. */
  maxRequestBytes?: number;
  /** For each request, from sending it to the last byte of the answer; 1 to 600,000, default 60,000. */
  timeoutMs?: number;
  /** How often a request is sent again after 429, 5xx or a failed connection; 0 to 10, default 3. */
  retries?: number;
  /** The first wait before sending again, doubled every time up to 30 s, cut by up to half at random; 0 to 60,000,
   *  default 500. What the server asks for in Retry-After takes its place; above 60 s the call fails at once. */
  retryDelayMs?: number;
  /** Put before every document, at most 1,000 characters, default none: `search_document: `. */
  documentPrefix?: string;
  /** Put before every query: `search_query: `. */
  queryPrefix?: string;
  /** Sends `dimensions` along, for models that can shorten their vectors; default false. */
  sendDimensions?: boolean;
}

/** Options that are checked and complete. */
export interface HttpSettings extends Required<Omit<HttpEmbedderOptions, "url" | "apiKey" | "headers">> {
  endpoint: URL;
  headers: Headers;
  /** Texts that must not appear in an error. */
  secrets: readonly string[];
}

const SITE = { capability: "embedder", operation: "createHttpEmbedder" } as const;
const KEYS = (
  "url api model modelVersion dimensions apiKey headers maxBatch maxRequestBytes timeoutMs retries retryDelayMs " +
  "documentPrefix queryPrefix sendDimensions"
).split(" ");
const MAX_HEADERS = 50;
const MAX_PREFIX_LENGTH = 1000;
const VISIBLE = /^[\x21-\x7e]{1,4096}$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]{0,4094}[\x21-\x7e])?$/;
/** What is shorter says too little to be a secret, and would blot out common words. */
const SHORTEST_SECRET = 6;

/** @throws StorageError INVALID_INPUT */
export function checkHttpOptions(options: unknown): HttpSettings {
  const given = requireObject(SITE, "options", options, KEYS);
  const integer = (field: string, otherwise: number, min: number, max: number): number =>
    requireInteger(SITE, field, given[field] ?? otherwise, min, max);
  const prefix = (field: string): string =>
    requireText(SITE, field, given[field] ?? "", { min: 0, max: MAX_PREFIX_LENGTH });
  const api = requireOneOf<HttpEmbeddingApi>(SITE, "api", given["api"], ["openai", "ollama"]);
  const secrets: string[] = [];
  return {
    api,
    endpoint: requireEndpoint(SITE, given["url"], api),
    headers: requireHeaders(given["headers"] ?? {}, given["apiKey"], secrets),
    secrets: secrets.filter((secret) => secret.length >= SHORTEST_SECRET),
    model: requireText(SITE, "model", given["model"], { max: MAX_MODEL_ID_LENGTH }),
    modelVersion: requireText(SITE, "modelVersion", given["modelVersion"] ?? "1", { max: MAX_MODEL_VERSION_LENGTH }),
    dimensions: requireInteger(SITE, "dimensions", given["dimensions"], 1, MAX_DIMENSIONS),
    maxBatch: integer("maxBatch", 64, 1, MAX_EMBED_BATCH),
    maxRequestBytes: integer("maxRequestBytes", 1024 * 1024, 1024, 64 * 1024 * 1024),
    timeoutMs: integer("timeoutMs", 60_000, 1, 600_000),
    retries: integer("retries", 3, 0, 10),
    retryDelayMs: integer("retryDelayMs", 500, 0, 60_000),
    documentPrefix: prefix("documentPrefix"),
    queryPrefix: prefix("queryPrefix"),
    sendDimensions: requireBoolean(SITE, "sendDimensions", given["sendDimensions"] ?? false),
  };
}

/** Messages name a header and never show its value. */
function requireHeaders(value: unknown, apiKey: unknown, secrets: string[]): Headers {
  const headers = new Headers({ "content-type": "application/json", accept: "application/json" });
  const given = isPlainObject(value) ? Object.entries(value) : undefined;
  if (given === undefined) throw invalidInput(SITE, "headers", value, "an object");
  if (given.length > MAX_HEADERS) throw refusal(SITE, `headers has ${given.length} entries; it takes ${MAX_HEADERS}`);
  for (const [name, text] of given) {
    if (!HEADER_NAME.test(name)) throw refusal(SITE, `headers has a name that HTTP does not allow`);
    if (typeof text !== "string" || !HEADER_VALUE.test(text)) {
      throw refusal(SITE, `headers.${name} takes 1 to 4096 printable ASCII characters without spaces at the ends`);
    }
    headers.set(name, text);
    secrets.push(text);
  }
  if (apiKey === undefined) return headers;
  if (typeof apiKey !== "string" || !VISIBLE.test(apiKey)) {
    throw refusal(SITE, "apiKey takes 1 to 4096 visible ASCII characters");
  }
  headers.set("authorization", `Bearer ${apiKey}`);
  secrets.push(apiKey);
  return headers;
}
