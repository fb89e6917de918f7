import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const SERVER_DIMENSIONS = 8;

/** A request as the server saw it. */
export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: { model: string; input: string[]; encoding_format?: string; dimensions?: number };
  bytes: number;
}

/** Answers one request in a way of its own. */
export type Answer = (response: ServerResponse, request: SeenRequest) => void;

/** An embedding server on 127.0.0.1 that speaks both APIs. */
export interface EmbeddingServer extends AsyncDisposable {
  url: string;
  seen: SeenRequest[];
  /** How the next requests are answered, first to last; after that all are answered well. */
  next: Answer[];
}

export async function startEmbeddingServer(): Promise<EmbeddingServer> {
  const seen: SeenRequest[] = [];
  const next: Answer[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const { method = "", url: path = "", headers } = request;
      const body = (text === "" ? { model: "", input: [] } : JSON.parse(text)) as SeenRequest["body"];
      const entry = { method, path, headers, body, bytes: Buffer.byteLength(text) };
      seen.push(entry);
      (next.shift() ?? answerWell)(response, entry);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, seen, next, [Symbol.asyncDispose]: close };
}

/** The vector this server gives a text: different for different texts, never zero. */
export function serverVector(text: string): number[] {
  return Array.from({ length: SERVER_DIMENSIONS }, (_, at) => {
    let value = at + 1;
    for (let i = 0; i < text.length; i++) value = (value * 31 + text.charCodeAt(i)) % 9973;
    return (value + 1) / 9974;
  });
}

export const answerWell: Answer = (response, { path, body }) => {
  const vectors = body.input.map(serverVector);
  if (path.includes("/api/embed")) return json(200, { model: body.model, embeddings: vectors })(response);
  json(200, { object: "list", data: vectors.map((embedding, index) => ({ object: "embedding", index, embedding })) })(
    response,
  );
};

export function json(
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): (r: ServerResponse) => void {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
  };
}
