import { connect, type Connection } from "../../src/rpc/client.ts";
import { portEndpoint } from "../../src/rpc/endpoint.ts";
import { serve } from "../../src/rpc/server.ts";

/** Serves an object over a channel of its own and connects to it: the same object, seen across the boundary. */
export async function servedHere<T extends object>(root: T): Promise<Connection<T>> {
  const { port1, port2 } = new MessageChannel();
  serve(portEndpoint(port2), root);
  return connect<T>(portEndpoint(port1));
}
