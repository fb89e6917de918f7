import { MAX_METADATA_BYTES } from "./check-documents.ts";
import { requireIngestSource } from "./check-ingest.ts";
import { requireJsonObject } from "./check-json.ts";
import { requireMillis } from "./check-time.ts";
import type { JobEnd, JobFilter, JobResumeOptions, JobStatus, StoreJobKind } from "./jobs.ts";
import { type CallSite, invalidInput, refusal, requireObject, requireOneOf, requireText } from "./validate.ts";

/** Longest kind of a job, in UTF-16 units. */
export const MAX_JOB_KIND_LENGTH = 64;
/** Longest reason why a job failed, in UTF-16 units. */
export const MAX_JOB_ERROR_LENGTH = 65_536;

export const STORE_JOB_KINDS: readonly StoreJobKind[] = ["ingest", "embed", "reindex"];
export const JOB_STATUSES: readonly JobStatus[] = ["running", "completed", "failed", "cancelled", "interrupted"];
const ENDS: readonly JobEnd[] = ["completed", "failed", "cancelled"];
const FILTER_KEYS: readonly (keyof JobFilter)[] = ["kind", "status", "createdAfter", "createdBefore"];
const RESUME_KEYS: readonly (keyof JobResumeOptions)[] = ["source", "signal", "onProgress"];

/** Whether the store runs jobs of this kind itself. */
export function isStoreJobKind(kind: string): kind is StoreJobKind {
  return STORE_JOB_KINDS.some((own) => own === kind);
}

/** Returns the value as the kind of a caller's job. */
export function requireJobKind(site: CallSite, value: unknown): string {
  const kind = requireText(site, "kind", value, { max: MAX_JOB_KIND_LENGTH });
  if (!isStoreJobKind(kind)) return kind;
  throw refusal(site, `kind got "${kind}", and jobs of that kind are the store's: it makes them itself`);
}

/** Returns payload or progress as JSON text. */
export function requireJobJson(site: CallSite, field: string, value: unknown): string {
  return requireJsonObject(site, field, value, MAX_METADATA_BYTES);
}

/** Checks how a job ends. */
export function checkJobEnd(site: CallSite, status: unknown, error: unknown): { status: JobEnd; error: string | null } {
  const end = requireOneOf(site, "status", status, ENDS);
  if (error === undefined) return { status: end, error: null };
  if (end === "completed") throw refusal(site, "error is given, and a job that completed has none");
  return { status: end, error: requireText(site, "error", error, { max: MAX_JOB_ERROR_LENGTH }) };
}

/** A filter of jobs with null for what is not asked for. */
export interface CheckedJobFilter {
  kind: string | null;
  status: JobStatus | null;
  createdAfter: number | null;
  createdBefore: number | null;
}

/** Checks which jobs are asked for. */
export function checkJobFilter(site: CallSite, value: unknown): CheckedJobFilter {
  const { kind, status, createdAfter, createdBefore } = requireObject(site, "filter", value ?? {}, FILTER_KEYS);
  const inner: CallSite = { ...site, within: "filter" };
  const millis = (field: string, time: unknown): number | null =>
    time === undefined ? null : requireMillis(inner, field, time);
  return {
    kind: kind === undefined ? null : requireText(inner, "kind", kind, { max: MAX_JOB_KIND_LENGTH }),
    status: status === undefined ? null : requireOneOf(inner, "status", status, JOB_STATUSES),
    createdAfter: millis("createdAfter", createdAfter),
    createdBefore: millis("createdBefore", createdBefore),
  };
}

/** Checks what a job is resumed with. */
export function checkResumeOptions(site: CallSite, value: unknown): JobResumeOptions {
  const { source, signal, onProgress } = requireObject(site, "options", value ?? {}, RESUME_KEYS);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidInput(site, "options.signal", signal, "an AbortSignal");
  if (onProgress !== undefined && typeof onProgress !== "function")
    throw invalidInput(site, "options.onProgress", onProgress, "a function");
  return {
    ...(source === undefined ? {} : { source: requireIngestSource(source) }),
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress: onProgress as NonNullable<JobResumeOptions["onProgress"]> }),
  };
}
