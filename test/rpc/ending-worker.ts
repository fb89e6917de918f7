import { workerScopeEndpoint } from "../../src/rpc/endpoint.ts";
import { serve } from "../../src/rpc/server.ts";

// Ends while it makes what it serves.
serve(workerScopeEndpoint(), () => {
  self.close();
  return new Promise<object>(() => {});
});
