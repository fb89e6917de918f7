import type { Job } from "../node.ts";
import { formatCount, formatTime } from "./format.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

/** A line for each job: id, when it was made, kind, status, how far it is. */
export function jobRows(jobs: readonly Job[], terminal: Terminal): string[] {
  const kinds = jobs.map(({ kind }) => printable(kind));
  const columns = Math.max(0, ...kinds.map(({ length }) => length));
  return jobs.map((job, index) => {
    const status = job.cancelRequestedAt !== null && job.status === "running" ? "cancelling" : job.status;
    const facts = `${formatTime(job.createdAt)}  ${(kinds[index] ?? "").padEnd(columns)}`;
    return `${printable(job.id)}  ${terminal.dim(facts)}  ${status.padEnd(11)}  ${howFar(job)}`.trimEnd();
  });
}

/** Everything that is known of a job. */
export function jobLines(job: Job, terminal: Terminal): string[] {
  const { id, kind, status, attempt, createdAt, updatedAt, finishedAt, cancelRequestedAt, error, payload, progress } =
    job;
  const attempts = attempt === 1 ? "" : `, attempt ${attempt}`;
  return [
    terminal.bold(printable(`${kind} ${id}`)),
    `${status}${attempts}`,
    `made ${formatTime(createdAt)}, changed ${formatTime(finishedAt ?? updatedAt)}`,
    ...(cancelRequestedAt === null ? [] : [`asked to end ${formatTime(cancelRequestedAt)}`]),
    ...(error === null ? [] : [`because: ${printable(error.message)}${error.code === null ? "" : ` [${error.code}]`}`]),
    ...(progress === null ? [] : [`progress: ${printable(JSON.stringify(progress))}`]),
    `payload: ${printable(JSON.stringify(payload))}`,
  ];
}

function howFar({ progress }: Job): string {
  const done = progress?.["done"] ?? progress?.["indexesDone"];
  const total = progress?.["total"] ?? progress?.["indexes"];
  if (typeof done !== "number") return "";
  return typeof total === "number" ? `${formatCount(done)} of ${formatCount(total)}` : formatCount(done);
}
