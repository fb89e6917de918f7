import * as bigCalls from "./node/big-calls.ts";
import * as sqlite from "./node/sqlite.ts";
import * as threads from "./node/threads.ts";
import { measureVectorEngines } from "./node/vector-engines.ts";
import type { VectorsContext } from "./vectors.ts";

/** What a server needs: the caller's event loop while documents are taken in and in calls that carry much, SQLite beside a bare program, and the vector engines
 *  beside each other at 10,000, 50,000 and 100,000 vectors; `LODESTORE_BENCH_SIZES=10000` names other sizes in their place. */
export async function run(context: VectorsContext): Promise<void> {
  await threads.run(context);
  await bigCalls.run(context);
  await sqlite.run(context);
  const sizes = process.env["LODESTORE_BENCH_SIZES"]?.split(",").map(Number);
  await measureVectorEngines(context, sizes);
}
