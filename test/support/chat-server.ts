import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A question as the server saw it. */
export interface SeenQuestion {
  path: string;
  headers: IncomingHttpHeaders;
  body: { model: string; stream: boolean; messages: { role: string; content: string }[] };
}

/** Answers one question in a way of its own. */
export type ChatAnswer = (response: ServerResponse) => void;

/** A model on 127.0.0.1 that speaks as OpenAI's chat completions do, and allows every page to ask it. */
export interface ChatServer extends AsyncDisposable {
  /** Base address, with `/v1`. */
  url: string;
  seen: SeenQuestion[];
  /** How the next questions are answered, first to last; a question after them is answered with 404. */
  next: ChatAnswer[];
}

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "*",
  "access-control-expose-headers": "retry-after",
};

export async function startChatServer(): Promise<ChatServer> {
  const seen: SeenQuestion[] = [];
  const next: ChatAnswer[] = [];
  const server = createServer((request, response) => {
    if (request.method === "OPTIONS") return void response.writeHead(204, CORS).end();
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (piece: string) => (text += piece));
    request.on("end", () => {
      seen.push({
        path: request.url ?? "",
        headers: request.headers,
        body: JSON.parse(text) as SeenQuestion["body"],
      });
      (next.shift() ?? answerWith(404, "{}"))(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/v1`, seen, next, [Symbol.asyncDispose]: close };
}

/** Answers at once. */
export function answerWith(status: number, body: string, headers: Record<string, string> = {}): ChatAnswer {
  return (response) => {
    response.writeHead(status, { ...CORS, "content-type": "application/json", ...headers }).end(body);
  };
}

/** An event with a piece of an answer. */
export function pieceEvent(content: string): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;
}

/** Streams an answer in pieces. @param isEnded Whether it comes to an end; without one it stays open. */
export function streamed(pieces: readonly string[], isEnded = true): ChatAnswer {
  return (response) => {
    response.writeHead(200, { ...CORS, "content-type": "text/event-stream" });
    for (const piece of pieces) response.write(pieceEvent(piece));
    if (isEnded) response.end("data: [DONE]\n\n");
  };
}
