import { writeSync } from "node:fs";
import { EVAL_FILES } from "./eval-corpus.ts";
import { openTestStore } from "./open-test-store.ts";

/** A process that completes a run, begins another one, says on standard output how far that is, a line each time, and is killed. */
const { store } = await openTestStore(process.argv[2] ?? "");
await store.ingest(EVAL_FILES);
const queries = Array.from({ length: 10_000 }, (_, n) => ({ id: `${n}`, text: "kiln", expected: ["a.md"] }));
const { id } = await store.evaluations.run({ name: "short", queries: queries.slice(0, 3) });
writeSync(1, `${id}\n`);
await store.evaluations.run(
  { name: "long", queries },
  { onProgress: ({ runId, done }) => void writeSync(1, `${runId} ${done}\n`) },
);
