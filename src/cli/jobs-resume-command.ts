import { resolve } from "node:path";
import type { IngestFile, IngestProgress, Job, JobResumeOptions } from "../node.ts";
import type { Command } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { ingestCommand, readWalkOptions, sweepStopped } from "./ingest-command.ts";
import { fileAttributes, ingestFiles } from "./ingest-files.ts";
import { argumentsOf } from "./ingest-origin.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { jobError, readJob, useJob } from "./job-id.ts";
import { jobLines } from "./job-lines.ts";
import { storeFolder } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { ProgressLine } from "./progress-line.ts";
import type { Terminal } from "./terminal.ts";
import { finishIndexes } from "./use-store.ts";
import { FileWalk } from "./walk-files.ts";

export const jobsResumeCommand: Command = {
  name: "jobs resume",
  summary: "Go on with a job that was interrupted, cancelled or failed",
  usage: "<id> [options]",
  description: `Goes on with an ingest, a run of embeddings or a reindex: the same job, one more
attempt. What was done stays done. An ingest that lodestore ingest began reads
the same folders and files again, from the folder it was begun in, with the same
options; what is in is skipped. Ctrl-C stops it as it would have then.`,
  options: [{ name: "quiet", short: "q", help: "No progress" }],
  examples: [
    ["lodestore jobs resume 0199f0c2a1b47d3e8f00112233445566", "What lodestore jobs list --status interrupted showed"],
  ],
  run: runJobsResume,
};

async function runJobsResume(args: Arguments, terminal: Terminal): Promise<number> {
  const folder = resolve(storeFolder(args, terminal));
  const job = await readJob(args, terminal);
  const progressLine = new ProgressLine(terminal.stderr);
  const shown = !args.has("quiet") && (!terminal.json || terminal.stderr.isTTY === true);
  using interrupt = listenForInterrupt(() => {
    progressLine.end();
    terminal.note("Stopping. Press Ctrl-C again to end at once.");
  });
  const { signal } = interrupt;
  const { opening, source } = await workOf(job, args, folder, signal);
  const options: JobResumeOptions = {
    signal,
    ...(source === undefined ? {} : { source }),
    onProgress: (progress) => {
      if (shown && !signal.aborted) tell(progressLine, job, progress);
    },
  };
  let done: Job;
  try {
    done = await useJob(opening, terminal, async (store) => {
      const resumed = await store.jobs.resume(job.id, options);
      if (resumed.kind !== "reindex") await finishIndexes(store, terminal, signal);
      return resumed;
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    const ended = jobError(
      args.command,
      "ABORTED",
      "cancelled; what was done stays",
      "To go on: the same command again",
    );
    throw Object.assign(ended, { exitCode: EXIT.cancelled });
  } finally {
    progressLine.end();
  }
  if (terminal.json) terminal.printJson(done);
  else terminal.print(...jobLines(done, terminal));
  return EXIT.ok;
}

/** How the store is opened for a job, and which files it takes in.
 *  @throws CommandError UNSUPPORTED */
async function workOf(
  { kind, payload }: Job,
  args: Arguments,
  folder: string,
  signal: AbortSignal,
): Promise<{ opening: Arguments; source?: AsyncGenerator<IngestFile> }> {
  if (kind === "embed" || kind === "reindex") return { opening: args };
  if (kind !== "ingest") {
    const message = `the job is of the kind "${kind}", and the program that made it alone can go on with it`;
    throw jobError(args.command, "UNSUPPORTED", message, "A program goes on with store.jobs.resume(id)");
  }
  const typed = argumentsOf(payload["origin"], folder, args, ingestCommand.options);
  const walk = new FileWalk({ ...(await readWalkOptions(typed, folder)), signal });
  const source = ingestFiles(walk, fileAttributes(typed), () => {
    if (payload["sweep"] !== undefined && walk.notes.problems.length > 0) throw sweepStopped(args.command, walk);
  });
  return { opening: typed, source };
}

function tell(line: ProgressLine, { kind }: Job, progress: Record<string, unknown>): void {
  if (kind === "ingest") line.update(progress as unknown as IngestProgress);
  else if (typeof progress["done"] === "number" && typeof progress["total"] === "number") {
    line.step(kind, progress["done"], progress["total"], Number(progress["elapsedMs"] ?? 0));
  }
}
