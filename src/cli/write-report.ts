import { writeFile } from "node:fs/promises";
import { type EvaluationReport, evaluationReport } from "../node.ts";
import { CommandError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";

/** Writes a report as an HTML file.
 *  @throws CommandError it cannot be written */
export async function writeReport(operation: string, path: string, report: EvaluationReport): Promise<void> {
  try {
    await writeFile(path, evaluationReport(report));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `${path} cannot be written: ${reason}`;
    throw new CommandError(message, { code: "DRIVER", operation, exitCode: EXIT.store });
  }
}
