import type { Job } from "lodestore";
import { button, element } from "../element.ts";
import type { KeyedRow } from "../keyed-list.ts";
import { kindName, originOf, reachOf, STATUS_NAMES, timesOf } from "./job-facts.ts";

/** What can be done with a job. */
export interface JobActions {
  onCancel: (job: Job) => void;
  onResume: (job: Job) => void;
  onDelete: (job: Job) => void;
}

/** Jobs that go on by themselves, or with the files chosen again. Those of other programs they alone can go on with. */
const RESUMABLE = ["ingest", "embed", "reindex"];

/** A job in the list: what it is, how it stands, and what can be done with it. */
export function createJobRow(first: Job, { onCancel, onResume, onDelete }: JobActions): KeyedRow<Job> {
  let job = first;
  const titleId = `job-${first.id}`;
  const title = element("h3", { id: titleId });
  const status = element("span", { class: "job-status", "data-testid": "job-status" });
  const fill = element("div", { class: "fill" });
  const bar = element(
    "div",
    { class: "bar", role: "progressbar", "aria-labelledby": titleId, "aria-valuemin": 0, "aria-valuemax": 100 },
    fill,
  );
  const reach = element("p", { class: "job-reach", "data-testid": "job-reach" });
  const times = element("p", { class: "facts" });
  const error = element("p", { class: "error", "data-testid": "job-error" });
  const act = (testId: string, text: string, work: (job: Job) => void): HTMLButtonElement =>
    button({ "data-testid": testId, "aria-describedby": titleId, onclick: () => work(job) }, text);
  const cancel = act("job-cancel", "Cancel…", onCancel);
  const resume = act("job-resume", "Resume", onResume);
  const remove = act("job-delete", "Delete", onDelete);
  const row = element(
    "li",
    { class: "job", "data-testid": "job", "data-job": first.id },
    element("div", { class: "job-head" }, title, status),
    bar,
    reach,
    error,
    element("div", { class: "job-foot" }, times, element("div", { class: "actions" }, cancel, resume, remove)),
  );
  return {
    element: row,
    show(next) {
      job = next;
      const { name } = originOf(job);
      const { share, text } = reachOf(job);
      const isRunning = job.status === "running";
      const isAskedToEnd = isRunning && job.cancelRequestedAt !== null;
      title.textContent = name === "" ? kindName(job.kind) : `${kindName(job.kind)}: ${name}`;
      status.textContent = isAskedToEnd ? "Cancelling" : STATUS_NAMES[job.status];
      row.dataset["status"] = job.status;
      row.dataset["kind"] = job.kind;
      bar.hidden = share === null || job.status === "completed";
      fill.style.transform = `scaleX(${share ?? 0})`;
      bar.setAttribute("aria-valuenow", String(Math.round(100 * (share ?? 0))));
      if (text !== "") bar.setAttribute("aria-valuetext", text);
      reach.textContent = text;
      times.textContent = timesOf(job);
      error.textContent = job.error === null ? "" : job.error.message;
      error.hidden = job.error === null || job.status === "cancelled";
      cancel.hidden = !isRunning;
      cancel.disabled = isAskedToEnd;
      resume.hidden = isRunning || job.status === "completed" || !RESUMABLE.includes(job.kind);
      resume.textContent = job.kind === "ingest" && !originOf(job).isSample ? "Resume…" : "Resume";
      remove.hidden = isRunning;
    },
  };
}
