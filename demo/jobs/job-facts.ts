import type { Job, JobStatus } from "lodestore";
import { formatBytes, formatCount, formatCountOf, formatDuration, formatTime } from "../quantities.ts";

/** What to call a kind of job; the callers' by the name they gave it. */
export function kindName(kind: string): string {
  switch (kind) {
    case "ingest":
      return "Taking in files";
    case "embed":
      return "Embedding";
    case "reindex":
      return "Making indexes anew";
    default:
      return kind;
  }
}

export const STATUS_NAMES: Readonly<Record<JobStatus, string>> = {
  running: "Running",
  completed: "Completed",
  failed: "Failed",
  cancelled: "Cancelled",
  interrupted: "Interrupted",
};

/** What files an ingest of this page took in, as it noted with the job. */
export interface JobOrigin {
  name: string;
  /** Whether it is the documentation that comes with the page. */
  isSample: boolean;
}

/** Reads the origin of an ingest; another program may have written it, or none. */
export function originOf({ payload }: Pick<Job, "payload">): JobOrigin {
  const { name, sample } = (payload["origin"] ?? {}) as Record<string, unknown>;
  return { name: typeof name === "string" ? name : "", isSample: sample === true };
}

/** How far a job is: a share where it is known, and what it says. */
export interface JobReach {
  share: number | null;
  text: string;
}

/** Reads the progress of a job of any kind. What is no number of things done is left out. */
export function reachOf({ kind, status, progress }: Pick<Job, "kind" | "status" | "progress">): JobReach {
  const number = (name: string): number | null => {
    const value = progress?.[name];
    return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : null;
  };
  const done = number("done") ?? number("indexesDone");
  const total = number("total") ?? number("indexes");
  const what = kind === "ingest" ? "file" : kind === "embed" ? "passage" : kind === "reindex" ? "index" : "";
  const message = progress?.["message"];
  const counted = (name: string): string => {
    const count = number(name) ?? 0;
    return count === 0 ? "" : `${formatCount(count)} ${name}`;
  };
  const left = status === "running" ? number("leftMs") : null;
  const parts = [
    done === null ? "" : total === null ? countOf(done, what) : `${formatCount(done)} of ${countOf(total, what)}`,
    ...["added", "updated", "skipped", "removed", "failed", "embedded"].map(counted),
    kind === "ingest" && number("bytes") !== null ? formatBytes(number("bytes") ?? 0) : "",
    left === null || left === 0 ? "" : `${formatDuration(Math.max(1000, Math.round(left / 1000) * 1000))} left`,
    typeof message === "string" ? message : "",
  ];
  const share = done === null || total === null ? null : total === 0 ? 1 : Math.min(1, done / total);
  return { share, text: parts.filter((part) => part !== "").join(" · ") };
}

function countOf(count: number, what: string): string {
  if (what === "") return formatCount(count);
  return formatCountOf(count, what, what === "index" ? "indexes" : `${what}s`);
}

/** When a job was begun, and how long it took or when it ended. */
export function timesOf({ createdAt, finishedAt, updatedAt, attempt, status }: Job): string {
  const parts = [`begun ${formatTime(createdAt)}`];
  if (attempt > 1) parts.push(`attempt ${formatCount(attempt)}`);
  if (status === "interrupted") parts.push(`last heard of ${formatTime(updatedAt)}`);
  else if (finishedAt !== null && attempt > 1) parts.push(`ended ${formatTime(finishedAt)}`);
  else if (finishedAt !== null) parts.push(`took ${formatDuration(Math.max(0, finishedAt - createdAt))}`);
  return parts.join(" · ");
}
