import { afterEach, beforeEach, expect, test } from "vitest";
import { type Completion, complete } from "../../demo/chat/completion.ts";
import { readRetryAfter, saidIn } from "../../demo/chat/completion-error.ts";
import {
  answerWith,
  type ChatAnswer,
  type ChatServer,
  pieceEvent,
  startChatServer,
  streamed,
} from "../support/chat-server.ts";

let server: ChatServer;
beforeEach(async () => {
  server = await startChatServer();
});
afterEach(() => server[Symbol.asyncDispose]());

interface Asked extends Completion {
  pieces: string[];
}

async function ask(answer: ChatAnswer, options: { signal?: AbortSignal; idleTimeoutMs?: number } = {}): Promise<Asked> {
  server.next.push(answer);
  const pieces: string[] = [];
  const endpoint = { url: server.url, model: "tiny", key: "secret" };
  const completion = await complete(endpoint, [{ role: "user", content: "hello" }], {
    signal: new AbortController().signal,
    onText: (piece) => pieces.push(piece),
    ...options,
  });
  return { ...completion, pieces };
}

const events = (...texts: string[]): ChatAnswer =>
  answerWith(200, texts.join(""), { "content-type": "text/event-stream" });

test("an answer comes in pieces, and the question went out as the model expects it", async () => {
  expect(await ask(streamed(["Co", "pper ", "[1]"]))).toEqual({
    text: "Copper [1]",
    isWhole: true,
    pieces: ["Co", "pper ", "[1]"],
  });
  const [{ path, headers, body } = { path: "", headers: {}, body: {} }] = server.seen;
  expect(path).toBe("/v1/chat/completions");
  expect(headers["authorization"]).toBe("Bearer secret");
  expect(body).toEqual({ model: "tiny", stream: true, messages: [{ role: "user", content: "hello" }] });
});

test("without a key none is sent", async () => {
  server.next.push(streamed(["x"]));
  const endpoint = { url: server.url, model: "tiny", key: "" };
  await complete(endpoint, [], { signal: new AbortController().signal, onText: () => {} });
  expect(server.seen[0]?.headers["authorization"]).toBeUndefined();
});

test("an answer that does not stream is taken whole, and parts of content are put together", async () => {
  const whole = {
    choices: [{ message: { content: [{ type: "text", text: "Cop" }, { text: "per" }, null] }, finish_reason: "stop" }],
  };
  expect(await ask(answerWith(200, JSON.stringify(whole)))).toEqual({
    text: "Copper",
    isWhole: true,
    pieces: ["Copper"],
  });
});

test("an answer that was cut at the model's limit is not whole; events without text are passed over", async () => {
  const limit = 'data: {"choices":[{"delta":{},"finish_reason":"length"}]}\n\ndata: {"choices":[],"usage":{}}\n\n';
  const role = 'data: {"choices":[{"delta":{"role":"assistant","content":null}}]}\n\n';
  expect(await ask(events(": hi\n\n", role, pieceEvent("Cop"), limit))).toEqual({
    text: "Cop",
    isWhole: false,
    pieces: ["Cop"],
  });
});

test("a stream that ends before the answer does is cut off", async () => {
  await expect(ask(events(pieceEvent("Cop")))).rejects.toMatchObject({ failure: "cut-off" });
  await expect(
    ask((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(pieceEvent("Cop"), () => response.destroy());
    }),
  ).rejects.toMatchObject({ failure: "cut-off" });
});

test("each error says what it is and what the server says", async () => {
  const fail = (status: number, body: string, headers: Record<string, string> = {}): Promise<unknown> =>
    ask(answerWith(status, body, headers)).catch((error: unknown) => error);
  expect(await fail(500, '{"error":{"message":"out of memory"}}')).toMatchObject({
    failure: "failed",
    message: "The endpoint answered with the error 500. It says: out of memory",
  });
  expect(await fail(401, '{"error":"bad key"}')).toMatchObject({ failure: "refused-key" });
  expect(await fail(404, "no")).toMatchObject({
    failure: "not-found",
    message: expect.stringContaining("It says: no"),
  });
  expect(await fail(429, "", { "retry-after": "7" })).toMatchObject({
    failure: "rate-limited",
    retryAfterMs: 7000,
    message: "The endpoint takes no more questions for now (429); try again in 7 s.",
  });
  expect(await fail(200, "<html>", { "content-type": "text/html" })).toMatchObject({ failure: "not-understood" });
  expect(await fail(200, "{]")).toMatchObject({ failure: "not-understood" });
  expect(await fail(200, "null")).toMatchObject({ failure: "not-understood" });
  expect(await fail(200, '{"choices":[{"message":{}}]}')).toMatchObject({ failure: "not-understood" });
});

test("an error within the stream ends it", async () => {
  await expect(ask(events(pieceEvent("Cop"), 'data: {"error":{"message":"overloaded"}}\n\n'))).rejects.toMatchObject({
    failure: "failed",
    message: "The model stopped with an error. It says: overloaded",
  });
});

test("a server that is not there is out of reach", async () => {
  await server[Symbol.asyncDispose]();
  await expect(ask(streamed([]))).rejects.toMatchObject({ failure: "unreachable" });
});

test("a redirect is not followed with the texts", async () => {
  const asked = ask(answerWith(307, "", { location: `${server.url}/elsewhere` }));
  server.next.push(streamed(["Copper"]));
  await expect(asked).rejects.toMatchObject({ failure: "unreachable" });
  expect(server.seen).toHaveLength(1);
});

test("a silent server is given up, before its answer and within it", async () => {
  await expect(ask(() => {}, { idleTimeoutMs: 20 })).rejects.toMatchObject({ failure: "timeout" });
  await expect(ask(streamed(["Cop"], false), { idleTimeoutMs: 20 })).rejects.toMatchObject({ failure: "timeout" });
});

test("stopping gives the signal's reason, and the server's connection goes", async () => {
  const abort = new AbortController();
  let gone: Promise<unknown> = Promise.reject(new Error("not asked"));
  gone.catch(() => {});
  const asked = ask(
    (response) => {
      gone = new Promise((resolve) => response.on("close", resolve));
      streamed(["Cop"], false)(response);
      abort.abort(new DOMException("stopped", "AbortError"));
    },
    { signal: abort.signal },
  );
  await expect(asked).rejects.toThrow("stopped");
  await gone;
});

test("Retry-After is seconds or a date, and the message of a body is where servers put it", () => {
  expect(readRetryAfter("3", 0)).toBe(3000);
  expect(readRetryAfter("Wed, 21 Oct 2015 07:28:00 GMT", Date.parse("2015-10-21T07:27:00Z"))).toBe(60_000);
  expect(readRetryAfter("Wed, 21 Oct 2015 07:28:00 GMT", Date.parse("2016-01-01"))).toBe(0);
  for (const odd of [null, "", "soon", "-1", "1e3"]) expect(readRetryAfter(odd, 0)).toBe(null);
  expect(saidIn('{"detail":"no"}')).toBe("no");
  expect(saidIn('{"message":{"x":1}}')).toBe("");
  expect(saidIn("<html>proxy</html>")).toBe("");
  expect(saidIn("x".repeat(900))).toHaveLength(301);
});
