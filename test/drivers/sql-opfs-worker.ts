import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { openSqlOpfs, type SqlOpfsSettings } from "../../src/drivers/sql-opfs.ts";
import { workerScopeEndpoint } from "../../src/rpc/endpoint.ts";
import { serve } from "../../src/rpc/server.ts";
import { suiteFunctions } from "../conformance/sql-functions.ts";

/** Opens databases in this worker, for tests in the page. */
export class OpfsHost {
  open(name: string, settings: Partial<SqlOpfsSettings> = {}): Promise<SqlDatabase> {
    return openSqlOpfs({ name, settings, functions: suiteFunctions });
  }
}

serve(workerScopeEndpoint(), new OpfsHost());
