import { checkEmbedCall, checkEmbeddings } from "../contracts/check-embedder.ts";
import type { Embedder, EmbedKind, EmbedOptions } from "../contracts/embedder.ts";
import { refusal } from "../contracts/validate.ts";
import { checkHttpOptions, type HttpEmbedderOptions, type HttpSettings } from "./embed/http-options.ts";
import { rememberSpec } from "./embed/own-spec.ts";
import { parseReply } from "./embed/http-reply.ts";
import { send } from "./embed/http-retry.ts";

export type { HttpEmbeddingApi } from "./embed/http-endpoint.ts";
export type { HttpEmbedderOptions } from "./embed/http-options.ts";

/** Creates an embedder that asks a server: OpenAI's `/v1/embeddings` (also vLLM, TEI, LM Studio, llama.cpp, …) or Ollama's
 *  `/api/embed`.
 *
 *  Nothing is sent before the first `embed`. A call is one request, or several where its texts exceed `maxRequestBytes`;
 *  429 (with its Retry-After), 5xx and failed connections are tried again, `timeoutMs` and everything else is not. An
 *  abort ends the call at once, also while it waits or reads. Answers are bounded in size and checked for count, order,
 *  dimensions and finite values. Redirects are not followed. Keys are never part of an error.
 *
 *  400, 413 and 422 are INVALID_INPUT with the server's words, every other refusal is DRIVER. An empty text is sent as one
 *  space, since servers refuse it; half of a surrogate pair as U+FFFD.
 *  @throws StorageError INVALID_INPUT
 *  @example
 *    createHttpEmbedder({
 *      url: "http://127.0.0.1:11434", api: "ollama", model: "nomic-embed-text", dimensions: 768,
 *      documentPrefix: "search_document: ", queryPrefix: "search_query: ",
 *    }); */
export function createHttpEmbedder(options: HttpEmbedderOptions): Embedder {
  return rememberSpec(new HttpEmbedder(checkHttpOptions(options)), { kind: "http", ...options });
}

const EMBED = { capability: "embedder", operation: "embed" } as const;
/** What a value takes in JSON at most, and what may surround the vectors. */
const MAX_BYTES_PER_VALUE = 40;
const MAX_BYTES_AROUND = 256 * 1024;

class HttpEmbedder implements Embedder {
  readonly modelId: string;
  readonly modelVersion: string;
  readonly dimensions: number;
  readonly maxBatch: number;
  readonly #settings: HttpSettings;

  constructor(settings: HttpSettings) {
    this.modelId = settings.model;
    this.modelVersion = settings.modelVersion;
    this.dimensions = settings.dimensions;
    this.maxBatch = settings.maxBatch;
    this.#settings = settings;
  }

  async embed(texts: readonly string[], options: EmbedOptions): Promise<Float32Array[]> {
    checkEmbedCall(texts, options, this.maxBatch);
    const { kind, signal } = options;
    const vectors: Float32Array[] = [];
    for (const input of this.#requests(texts, kind)) vectors.push(...(await this.#request(input, signal)));
    return vectors;
  }

  async #request(input: readonly string[], signal: AbortSignal | undefined): Promise<Float32Array[]> {
    const { api, model, dimensions, sendDimensions } = this.#settings;
    const body = JSON.stringify({
      model,
      input,
      ...(api === "openai" ? { encoding_format: "float" } : {}),
      ...(sendDimensions ? { dimensions } : {}),
    });
    const maxAnswerBytes = MAX_BYTES_AROUND + input.length * dimensions * MAX_BYTES_PER_VALUE;
    const answer = await send(this.#settings, body, maxAnswerBytes, signal);
    return checkEmbeddings(this, input, parseReply(this.#settings, answer));
  }

  /** Cuts a call into requests of at most `maxRequestBytes`; a text that is larger alone fails the call before any is sent. */
  #requests(texts: readonly string[], kind: EmbedKind): string[][] {
    const { documentPrefix, queryPrefix, maxRequestBytes } = this.#settings;
    const prefix = kind === "document" ? documentPrefix : queryPrefix;
    const encoder = new TextEncoder();
    const requests: string[][] = [];
    let room = 0;
    for (const [index, text] of texts.entries()) {
      const sent = (prefix + text).replace(/\p{Surrogate}/gu, "\ufffd") || " ";
      const bytes = encoder.encode(JSON.stringify(sent)).length + 1;
      if (bytes > maxRequestBytes) {
        throw refusal(
          EMBED,
          `texts[${index}] has ${bytes} bytes; a request takes ${maxRequestBytes} (maxRequestBytes)`,
        );
      }
      if (bytes > room) {
        requests.push([]);
        room = maxRequestBytes;
      }
      requests.at(-1)?.push(sent);
      room -= bytes;
    }
    return requests;
  }
}
