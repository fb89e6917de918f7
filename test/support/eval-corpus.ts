import type { EvalRun, NewEvalSuite } from "../../src/contracts/evaluations.ts";
import type { Store } from "../../src/contracts/store.ts";

/** Five documents: how often `kiln` stands in one decides its rank for that word, a.md to d.md; none says `glaze` but e.md. The chunks of a.md
 *  are two. */
export const EVAL_FILES: { path: string; content: string }[] = [
  { path: "a.md", content: `# A\n\n${"kiln ".repeat(12)}\n\n## Again\n\n${"kiln ".repeat(12)}` },
  { path: "b.md", content: `# B\n\n${"kiln ".repeat(8)}${"clay ".repeat(40)}` },
  { path: "c.md", content: `# C\n\n${"kiln ".repeat(4)}${"clay ".repeat(80)}` },
  { path: "d.md", content: `# D\n\nkiln ${"clay ".repeat(160)}` },
  { path: "e.md", content: "# E\n\nglaze" },
];

/** One query with grades, one that expects, one with nothing relevant, one that finds nothing. */
export const EVAL_SUITE: NewEvalSuite = {
  name: "kilns",
  description: "What burns",
  queries: [
    { id: "graded", text: "kiln", judgements: { "b.md": 2, "d.md": 1, "e.md": 3, "a.md": 0, "c.md": -1 } },
    { id: "expected", text: "glaze", expected: ["e.md"] },
    { id: "nothing", text: "kiln", judgements: { "a.md": 0 } },
    { id: "unfound", text: "porcelain", expected: ["e.md", "gone.md"] },
  ],
};

/** Takes the corpus in and runs the suite over it. */
export async function runOverCorpus(store: Store, label?: string): Promise<EvalRun> {
  await store.ingest(EVAL_FILES, { embed: "off" });
  return store.evaluations.run(EVAL_SUITE, { k: 3, ...(label === undefined ? {} : { label }) });
}
