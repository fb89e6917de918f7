import type { JobResumeOptions, Jobs } from "../contracts/jobs.ts";
import { sendableFiles } from "./sendable-files.ts";

/** Returns options whose files can all be sent. */
export function sendableResume(options: JobResumeOptions | undefined): JobResumeOptions | undefined {
  if (typeof options !== "object" || options === null || options.source === undefined) return options;
  return { ...options, source: sendableFiles(options.source) };
}

/** Jobs at the other end of a connection, to which files can be sent. */
export function sendingJobs(jobs: Jobs): Jobs {
  return {
    create: (kind, payload) => jobs.create(kind, payload),
    updateProgress: (id, progress) => jobs.updateProgress(id, progress),
    finish: (id, status, error) => jobs.finish(id, status, error),
    get: (id) => jobs.get(id),
    list: (filter, page) => jobs.list(filter, page),
    cancel: (id) => jobs.cancel(id),
    resume: (id, options) => jobs.resume(id, sendableResume(options)),
    delete: (id) => jobs.delete(id),
  };
}
