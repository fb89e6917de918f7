import { connect } from "../../src/rpc/client.ts";
import { portEndpoint } from "../../src/rpc/endpoint.ts";
import { serve } from "../../src/rpc/server.ts";
import { Probe } from "./probe.ts";
import { describeRpc } from "./rpc-cases.ts";

describeRpc("over a MessageChannel", async () => {
  const { port1, port2 } = new MessageChannel();
  const served = serve(portEndpoint(port2), () => new Probe(() => served.live()));
  const connection = await connect<Probe>(portEndpoint(port1));
  return { connection, dispose: () => connection.terminate() };
});
