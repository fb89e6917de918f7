import type { Store } from "lodestore";
import { banner } from "../page-message.ts";
import { formatCountOf } from "../quantities.ts";
import { kindName } from "./job-facts.ts";

/** A strip that names the jobs which the last time ended before they did; `null` where there are none, or all have gone on since. */
export async function interruptedNotice(store: Store, onShow: () => void): Promise<HTMLElement | null> {
  const { interruptedJobs } = await store.openReport();
  const jobs = await Promise.all(interruptedJobs.map(({ id }) => store.jobs.get(id)));
  const left = jobs.filter((job) => job?.status === "interrupted");
  if (left.length === 0) return null;
  const kinds = [...new Set(left.map((job) => kindName(job?.kind ?? "").toLowerCase()))].join(", ");
  const text = `${formatCountOf(left.length, "job")} ended with the page the last time (${kinds}). What was done is safe, and the rest can go on.`;
  return banner(text, left.length === 1 ? "See the job" : "See the jobs", onShow);
}
