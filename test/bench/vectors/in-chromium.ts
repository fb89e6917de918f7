import { withChromium } from "../chromium-page.ts";
import type { VectorsResult, VectorsTask } from "../browser/vectors-worker.ts";
import type { BenchContext } from "../report.ts";
import { K } from "./truth.ts";

/** What bench-page.ts puts into the page, as far as it is used here. */
interface VectorsPage {
  bench: { vectors(task: VectorsTask): Promise<VectorsResult> };
}

/** The same measurements in a dedicated worker of a headless Chromium. */
export async function chromiumVectors(
  context: BenchContext,
  {
    part,
    size,
    truth,
    targets,
  }: Pick<VectorsTask, "part" | "size"> & { truth: readonly Uint32Array[]; targets: readonly number[] },
): Promise<void> {
  await withChromium("[]", async (session) => {
    context.progress(`suite vectors: ${part} of ${size}, Chromium ${session.version}`);
    const page = await session.freshPage();
    const task: VectorsTask = {
      part,
      size,
      queryCount: truth.length,
      k: K,
      truth: truth.flatMap((row) => [...row]),
      targets: [...targets],
    };
    const { figures, notes } = await page.evaluate(
      (asked) => (globalThis as unknown as VectorsPage).bench.vectors(asked),
      task,
    );
    for (const note of notes) context.progress(`suite vectors: ${note}`);
    for (const figure of figures) {
      context.report({ suite: "vectors", ...figure, platform: `chromium ${session.version}` });
    }
    await page.close();
  });
}
