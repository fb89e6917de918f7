import { workerScopeEndpoint } from "../../src/rpc/endpoint.ts";
import { serve } from "../../src/rpc/server.ts";

/** Ends its own worker, or lets an error escape that no call is answered with. */
export class Closing {
  closeSelf(): Promise<never> {
    self.close();
    return new Promise(() => {});
  }

  letErrorEscape(): Promise<string> {
    setTimeout(() => {
      throw new Error("escaped");
    });
    return new Promise((resolve) => setTimeout(() => resolve("still here"), 20));
  }
}

serve(workerScopeEndpoint(), new Closing());
