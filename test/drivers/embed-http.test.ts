import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Embedder } from "../../src/contracts/embedder.ts";
import { backoffMs, retryAfterMs } from "../../src/drivers/embed/http-retry.ts";
import { createHttpEmbedder, type HttpEmbedderOptions } from "../../src/drivers/embed-http.ts";
import { embedderConformance } from "../conformance/embedder.ts";
import { type Answer, answerWell, type EmbeddingServer, json } from "../support/embedding-server.ts";
import { SERVER_DIMENSIONS, serverVector, startEmbeddingServer } from "../support/embedding-server.ts";

for (const api of ["openai", "ollama"] as const) {
  embedderConformance(`embed-http ${api}`, async () => {
    const server = await startEmbeddingServer();
    const embedder = createHttpEmbedder({ url: server.url, api, model: "m", dimensions: SERVER_DIMENSIONS });
    return { embedder, close: async () => server[Symbol.asyncDispose]() };
  });
}

const DOCUMENT = { kind: "document" } as const;
const KEY = "sk-secret-0123456789";

describe("http embedder", () => {
  let server: EmbeddingServer;
  beforeEach(async () => {
    server = await startEmbeddingServer();
  });
  afterEach(() => server[Symbol.asyncDispose]());

  function create(options: Partial<HttpEmbedderOptions> = {}): Embedder {
    const base = {
      url: server.url,
      api: "openai",
      model: "m",
      dimensions: SERVER_DIMENSIONS,
      retryDelayMs: 1,
    } as const;
    return createHttpEmbedder({ ...base, ...options });
  }
  const failure = async (options: Partial<HttpEmbedderOptions> = {}, texts = ["fox"]): Promise<Error> => {
    const outcome = await create(options)
      .embed(texts, DOCUMENT)
      .catch((error: unknown) => error);
    if (!(outcome instanceof Error)) throw new Error("the call did not fail");
    return outcome;
  };

  test.each([
    ["openai", "", "/v1/embeddings"],
    ["openai", "/", "/v1/embeddings"],
    ["openai", "/proxy/", "/proxy/v1/embeddings"],
    ["openai", "/v1", "/v1/embeddings"],
    ["openai", "/v1beta/", "/v1beta/embeddings"],
    ["openai", "/deploy/m/embeddings?api-version=2", "/deploy/m/embeddings?api-version=2"],
    ["ollama", "", "/api/embed"],
    ["ollama", "/api/", "/api/embed"],
    ["ollama", "/x/api/embed", "/x/api/embed"],
  ] as const)("as %s calls the address %j at %j", async (api, given, called) => {
    await create({ api, url: server.url + given }).embed(["fox"], DOCUMENT);
    expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([`POST ${called}`]);
  });

  test("sends model, prefix, float encoding, key and headers as OpenAI takes them", async () => {
    const embedder = create({
      apiKey: KEY,
      headers: { "x-team": "search" },
      documentPrefix: "d: ",
      queryPrefix: "q: ",
    });
    await embedder.embed(["fox"], DOCUMENT);
    await embedder.embed(["fox"], { kind: "query" });
    expect(server.seen.map(({ body }) => body)).toEqual([
      { model: "m", input: ["d: fox"], encoding_format: "float" },
      { model: "m", input: ["q: fox"], encoding_format: "float" },
    ]);
    expect(server.seen[0]?.headers).toMatchObject({
      authorization: `Bearer ${KEY}`,
      "x-team": "search",
      "content-type": "application/json",
    });
  });

  test("sends dimensions where it shall, and nothing more to Ollama", async () => {
    await create({ api: "ollama", sendDimensions: true }).embed(["fox"], DOCUMENT);
    expect(server.seen[0]?.body).toEqual({ model: "m", input: ["fox"], dimensions: SERVER_DIMENSIONS });
  });

  test("sends well-formed text: a lone surrogate as U+FFFD, nothing as a space", async () => {
    await create().embed(["a\ud800b", "", "🦊"], DOCUMENT);
    expect(server.seen[0]?.body.input).toEqual(["a\ufffdb", " ", "🦊"]);
  });

  test("cuts a call into requests of maxRequestBytes and keeps the order", async () => {
    const texts = Array.from({ length: 10 }, (_, index) => `${index}${"é".repeat(150)}`);
    const vectors = await create({ maxRequestBytes: 1024 }).embed(texts, DOCUMENT);
    expect(server.seen.map(({ body }) => body.input.length)).toEqual([3, 3, 3, 1]);
    for (const { bytes } of server.seen) expect(bytes).toBeLessThan(1024 + 200);
    expect(vectors).toEqual(texts.map((text) => Float32Array.from(serverVector(text))));
  });

  test("refuses a text larger than a request by its place, before it sends anything", async () => {
    const error = await failure({ maxRequestBytes: 1024 }, ["fox", "é".repeat(512)]);
    expect(error).toMatchObject({ code: "INVALID_INPUT", message: expect.stringContaining("texts[1] has 1027 bytes") });
    expect(server.seen).toEqual([]);
  });

  test("puts entries in order by their index", async () => {
    server.next.push((response, { body }) => {
      const data = body.input.map((text, index) => ({ index, embedding: serverVector(text) })).reverse();
      json(200, { data })(response);
    });
    expect(await create().embed(["a", "b", "c"], DOCUMENT)).toEqual(
      ["a", "b", "c"].map((text) => Float32Array.from(serverVector(text))),
    );
  });

  test("takes entries without index in their order, and base64 in place of numbers", async () => {
    server.next.push((response, { body }) => {
      const data = body.input.map((text) => ({
        embedding: Buffer.from(Float32Array.from(serverVector(text)).buffer).toString("base64"),
      }));
      json(200, { data })(response);
    });
    expect(await create().embed(["a", "b"], DOCUMENT)).toEqual(
      ["a", "b"].map((text) => Float32Array.from(serverVector(text))),
    );
  });

  const entry = (embedding: unknown, index: unknown = 0): object => ({ data: [{ index, embedding }] });
  const good = serverVector("fox");
  test.each([
    ["no JSON", "<html>", "no JSON"],
    ["nothing", "", "no JSON"],
    ["no list", { data: {} }, 'no list "data"'],
    ["too few vectors", { data: [] }, "0 vectors for 1 texts"],
    ["too many vectors", { data: [{ embedding: good }, { embedding: good }] }, "2 vectors for 1 texts"],
    ["an index out of range", entry(good, 1), "index 1"],
    ["an index that is no number", entry(good, "0"), 'index "0"'],
    [
      "one index twice",
      {
        data: [
          { index: 0, embedding: good },
          { index: 0, embedding: good },
        ],
      },
      "index 0",
    ],
    ["an entry that is no object", { data: [good] }, "entry 0"],
    ["a vector that is too short", entry(good.slice(1)), '"m": vector 0 has 7 values, not 8'],
    ["text among the values", entry([...good.slice(1), "1"]), "vector 0 is neither"],
    ["null among the values", entry([...good.slice(1), null]), "vector 0 is neither"],
    ["a value beyond 32-bit floats", entry([...good.slice(1), 1e39]), "vector 0 has Infinity at position 7"],
    ["base64 of NaN", entry(Buffer.from(new Float32Array(8).fill(Number.NaN).buffer).toString("base64")), "has NaN"],
    ["half a float in base64", entry("AAAAAAA="), "5 bytes"],
    ["what is no base64", entry("?"), "no base64"],
  ])("says DRIVER when the server answers %s, and does not ask again", async (_, answer, message) => {
    server.next.push((response) => {
      if (typeof answer === "string") response.end(answer);
      else json(200, answer)(response);
    });
    expect(await failure()).toMatchObject({ code: "DRIVER", message: expect.stringContaining(message) });
    expect(server.seen).toHaveLength(1);
  });

  test.each([
    [400, "INVALID_INPUT", { error: { message: "the input is too long" } }],
    [413, "INVALID_INPUT", { error: "the input is too long" }],
    [422, "INVALID_INPUT", { detail: "the input is too long" }],
    [401, "DRIVER", { message: "the input is too long" }],
    [404, "DRIVER", { error: { message: "the input is too long" } }],
    [204, "DRIVER", undefined],
  ])("says what the server said of %i, once, as %s", async (status, code, body) => {
    server.next.push((response) => json(status, body)(response));
    const said = body === undefined ? `answered ${status}` : `answered ${status}: the input is too long`;
    expect(await failure()).toMatchObject({ code, retryable: false, message: expect.stringContaining(said) });
    expect(server.seen).toHaveLength(1);
  });

  test("cuts what the server says to 300 characters", async () => {
    server.next.push((response) => json(404, { error: "so\n\n".repeat(5000) })(response));
    expect((await failure()).message.length).toBeLessThan(400);
  });

  test("never shows a key, nor a header's value, nor the query of the address", async () => {
    const token = "token-abcdef";
    const options = { apiKey: KEY, headers: { "api-key": token }, url: `${server.url}/v1?key=query-secret` };
    server.next.push((response) => json(401, { error: { message: `wrong key ${KEY} or ${token}` } })(response));
    const refused = await failure(options);
    expect(refused.message).toContain("wrong key *** or ***");
    server.next.push((response) => json(302, {}, { location: `/?${KEY}` })(response));
    const redirected = await failure(options);
    server.next.push((response) => response.destroy());
    const broken = await failure({ ...options, retries: 0 });
    server.next.push((response) => response.end(KEY));
    const garbled = await failure(options);
    for (const error of [refused, redirected, broken, garbled]) {
      const shown = `${error.message} ${String(error.cause)} ${JSON.stringify(error)}`;
      for (const secret of [KEY, token, "query-secret"]) expect(shown).not.toContain(secret);
    }
  });

  test.each([301, 302, 307, 308])("follows no redirect (%i), which could carry the key away", async (status) => {
    server.next.push((response) => json(status, {}, { location: "/elsewhere" })(response));
    expect(await failure()).toMatchObject({
      code: "DRIVER",
      message: expect.stringContaining("redirects to /elsewhere"),
    });
    expect(server.seen).toHaveLength(1);
  });

  const closedInBetween: Answer = (response) => {
    response.writeHead(200, { "content-length": "1000" }).write('{"data":[');
    setImmediate(() => response.destroy());
  };
  test.each<[string, Answer]>([
    ["500", (response) => json(500, { error: "busy" })(response)],
    ["503 with an HTML page", (response) => response.writeHead(503).end("<h1>down</h1>")],
    ["429 that asks for no wait", (response) => json(429, {}, { "retry-after": "0" })(response)],
    ["429 until a date in the past", (r) => json(429, {}, { "retry-after": "Thu, 01 Jan 1970 00:00:00 GMT" })(r)],
    ["429 without a wait", (response) => json(429, {})(response)],
    ["a connection closed at once", (response) => response.destroy()],
    ["a connection closed in the middle of the answer", closedInBetween],
  ])("asks again after %s", async (_, answer) => {
    server.next.push(answer, answer);
    expect(await create().embed(["fox"], DOCUMENT)).toEqual([Float32Array.from(good)]);
    expect(server.seen.map(({ body }) => body.input)).toEqual([["fox"], ["fox"], ["fox"]]);
  });

  test("gives up after its retries with the last answer's words", async () => {
    for (let i = 0; i < 5; i++) server.next.push((response) => json(500, { error: `broken ${i}` })(response));
    expect(await failure({ retries: 2 })).toMatchObject({
      code: "DRIVER",
      message: expect.stringContaining("broken 2"),
    });
    expect(server.seen).toHaveLength(3);
  });

  test("keeps the cause of a connection that cannot be made", async () => {
    const { url } = server;
    await server[Symbol.asyncDispose]();
    const error = await failure({ url, retries: 1 });
    server = await startEmbeddingServer();
    expect(error).toMatchObject({ code: "DRIVER", message: expect.stringContaining(`connection to ${url}`) });
    expect(error.cause).toBeInstanceOf(TypeError);
  });

  test("does not wait for longer than a minute: it says how long the server wants", async () => {
    server.next.push((response) => json(429, { error: "slow down" }, { "retry-after": "3600" })(response));
    const message = expect.stringContaining("slow down; it asks to wait 3600 s");
    expect(await failure()).toMatchObject({ code: "DRIVER", message });
    expect(server.seen).toHaveLength(1);
  });

  test("reads both forms of Retry-After, and takes nonsense for none", () => {
    const read = (value: string): number | undefined => retryAfterMs(new Headers({ "retry-after": value }), 1_000_000);
    expect(read("7")).toBe(7000);
    expect(read(new Date(1_005_000).toUTCString())).toBe(5000);
    expect(read(new Date(0).toUTCString())).toBe(0);
    for (const nonsense of ["soon", "-5", "1.5", ""]) expect(read(nonsense)).toBeUndefined();
    expect(retryAfterMs(new Headers(), 0)).toBeUndefined();
  });

  test("doubles its wait up to 30 seconds, with up to half of it random", () => {
    for (const [tries, full] of [0, 1, 2, 20].map((tries) => [tries, Math.min(500 * 2 ** tries, 30_000)] as const)) {
      const waits = Array.from({ length: 50 }, () => backoffMs(500, tries));
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(full / 2);
      expect(Math.max(...waits)).toBeLessThanOrEqual(full);
      expect(new Set(waits).size).toBeGreaterThan(1);
    }
  });

  const silent: Answer = () => {};
  const halfAnswer: Answer = (response) => response.writeHead(200).write('{"data":[');
  test.each([
    ["does not answer", silent],
    ["stops in the middle of its answer", halfAnswer],
  ])("says TIMEOUT, which may be retried, when the server %s", async (_, answer) => {
    server.next.push(answer);
    expect(await failure({ timeoutMs: 30 })).toMatchObject({ code: "TIMEOUT", retryable: true });
    expect(server.seen).toHaveLength(1);
  });

  const busyForAMinute: Answer = (response) => json(429, {}, { "retry-after": "50" })(response);
  test.each([
    ["it waits for an answer", silent, 0],
    ["it reads an answer", halfAnswer, 0],
    ["it waits to ask again", busyForAMinute, 1],
  ])("is ABORTED at once while %s", async (_, answer, retries) => {
    const stop = new AbortController();
    const reached = new Promise<void>((resolve) => {
      server.next.push((response, request) => {
        answer(response, request);
        resolve();
      });
    });
    const call = create({ retries }).embed(["fox"], { ...DOCUMENT, signal: stop.signal });
    await reached;
    await new Promise((resolve) => setTimeout(resolve, 10));
    stop.abort("enough");
    await expect(call).rejects.toMatchObject({ code: "ABORTED", cause: "enough" });
    expect(server.seen).toHaveLength(1);
  });

  test("is ABORTED between two requests of a call", async () => {
    const stop = new AbortController();
    server.next.push((response, request) => {
      response.on("finish", () => stop.abort());
      answerWell(response, request);
    });
    const texts = ["a", "b"].map((letter) => letter.repeat(1000));
    const call = create({ maxRequestBytes: 1024 }).embed(texts, { ...DOCUMENT, signal: stop.signal });
    await expect(call).rejects.toMatchObject({ code: "ABORTED" });
    expect(server.seen).toHaveLength(1);
  });

  test.each([200, 500])("stops reading an answer (%i) without end", async (status) => {
    let closed = false;
    server.next.push((response) => {
      response.writeHead(status);
      const piece = "x".repeat(64 * 1024);
      const write = (): void => {
        if (response.write(piece)) setImmediate(write);
      };
      response.on("drain", write).on("close", () => (closed = true));
      write();
    });
    expect(await failure({ retries: 0 })).toMatchObject({
      code: "DRIVER",
      message: expect.stringMatching(/more than \d+ bytes/),
    });
    await expect.poll(() => closed).toBe(true);
  });

  test.each([
    ["url", { url: "embeddings" }],
    ["url", { url: "ftp://example.org" }],
    ["url", { url: "http://user:pass@example.org" }],
    ["url", { url: "http://user@example.org" }],
    ["url", { url: "http://example.org/#part" }],
    ["url", { url: 7 }],
    ["api", { api: "cohere" }],
    ["model", { model: "" }],
    ["model", { model: "m".repeat(201) }],
    ["modelVersion", { modelVersion: "" }],
    ["dimensions", { dimensions: 4097 }],
    ["apiKey", { apiKey: "two words" }],
    ["apiKey", { apiKey: "line\nbreak" }],
    ["headers", { headers: [] }],
    ["headers.x-y", { headers: { "x-y": "a\r\nb: c" } }],
    ["headers", { headers: { "x y": "a" } }],
    ["maxBatch", { maxBatch: 0 }],
    ["maxRequestBytes", { maxRequestBytes: 1 }],
    ["timeoutMs", { timeoutMs: 0 }],
    ["retries", { retries: 11 }],
    ["retryDelayMs", { retryDelayMs: -1 }],
    ["queryPrefix", { queryPrefix: 1 }],
    ["sendDimensions", { sendDimensions: "yes" }],
    ["timeout", { timeout: 5 }],
  ])("refuses a wrong %s by name", (field, options) => {
    expect(() => create(options as object)).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT", message: expect.stringContaining(field) }),
    );
  });

  test("does not show a refused key or header", () => {
    const shown = (options: object): string => {
      try {
        create(options);
      } catch (error) {
        return String(error);
      }
      throw new Error("it was not refused");
    };
    expect(shown({ apiKey: "topsecret é" })).not.toContain("topsecret");
    expect(shown({ headers: { "x-key": "topsecret é" } })).not.toContain("topsecret");
    expect(shown({ url: "http://topsecret:x@h/" })).not.toContain("topsecret");
  });
});
