import { withChromium } from "../chromium-page.ts";
import type { BenchContext } from "../report.ts";
import { reportBuilds, reportSpeeds } from "../vectors.ts";
import type { VectorSet } from "./clustered.ts";

/** The same comparison in a dedicated worker of a headless Chromium. */
export async function chromiumVectors(
  context: BenchContext,
  set: VectorSet,
  truth: readonly Uint32Array[],
  targets: readonly number[],
): Promise<void> {
  await withChromium("[]", async (session) => {
    context.progress(`suite vectors: ${set.name}, Chromium ${session.version}`);
    const page = await session.freshPage();
    const task = { size: set.count, queryCount: set.queryCount, truth: truth.flatMap((row) => [...row]), targets: [...targets] };
    const { builds, speeds, scan, notes } = await page.evaluate((asked) => bench.vectors(asked), task);
    for (const note of notes) context.progress(`suite vectors: ${note}`);
    const figure = { dataset: set.name, platform: `chromium ${session.version}` };
    reportBuilds(context, figure, new Map(builds));
    reportSpeeds(context, figure, speeds);
    context.report({
      suite: "vectors",
      ...figure,
      case: "exact scan",
      metric: "per query",
      value: scan.ms,
      unit: "ms",
      recall: scan.recall,
    });
    await page.close();
  });
}
