import * as sqlite from "./node/sqlite.ts";
import * as threads from "./node/threads.ts";
import type { BenchContext } from "./report.ts";

/** What a server needs: the caller's event loop while documents are taken in, and SQLite beside a bare program. */
export async function run(context: BenchContext): Promise<void> {
  await threads.run(context);
  await sqlite.run(context);
}
