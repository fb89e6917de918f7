import { workerScopeEndpoint } from "../../src/rpc/endpoint.ts";
import { serve } from "../../src/rpc/server.ts";
import { Probe } from "./probe.ts";

const served = serve(workerScopeEndpoint(), () => new Probe(() => served.live()));
