import type { IngestFailure, IngestProgress, IngestReport, IngestSource, Store } from "lodestore";
import type { Announcer } from "./announcer.ts";
import { button, element } from "./element.ts";
import { errorCode, errorText } from "./error-text.ts";
import { createProgressView } from "./progress-view.ts";
import { formatCount, formatCountOf, formatDuration } from "./quantities.ts";

/** Files to take in, with what there is to say about them. */
export interface IngestJob {
  name: string;
  source: IngestSource;
  total: number;
  leftOut: number;
  /** Whether it is the documentation that comes with the page. */
  isSample?: boolean;
}

export interface IngestPanel {
  readonly element: HTMLElement;
  /** Starts the job, or queues it behind the one that runs. */
  start(job: IngestJob): void;
}

interface IngestPanelOptions {
  store: Store;
  announcer: Announcer;
  /** Called when documents may have come in: now and then while a job runs (`false`) and at its end (`true`). */
  onChange: (ended: boolean) => void;
}

const CHANGE_INTERVAL_MS = 1500;
const MOST_FAILURES_SHOWN = 500;

export function createIngestPanel({ store, announcer, onChange }: IngestPanelOptions): IngestPanel {
  const heading = element("h2", { id: "ingest-title", tabindex: "-1" });
  const cancel = button({ "data-testid": "ingest-cancel" }, "Cancel");
  const close = button({ class: "quiet", "data-testid": "ingest-close" }, "Dismiss");
  const progress = createProgressView();
  const notes = element("div", { class: "ingest-notes", "data-testid": "ingest-notes" });
  const panel = element(
    "section",
    { class: "ingest", hidden: true, "aria-labelledby": "ingest-title", "data-testid": "ingest" },
    element("header", {}, heading, cancel, close),
    progress.element,
    notes,
  );

  const queue: IngestJob[] = [];
  let running: AbortController | null = null;

  cancel.addEventListener("click", () => {
    queue.length = 0;
    cancel.disabled = true;
    heading.textContent = "Stopping after the document at hand…";
    running?.abort();
  });
  close.addEventListener("click", () => {
    panel.hidden = true;
  });

  function showRunning(job: IngestJob): void {
    panel.hidden = false;
    panel.dataset["state"] = "running";
    cancel.hidden = false;
    cancel.disabled = false;
    close.hidden = true;
    const behind = queue.length > 0 ? ` (${formatCount(queue.length)} more waiting)` : "";
    heading.textContent = `Taking in “${job.name}”${behind}`;
  }

  async function run(job: IngestJob): Promise<void> {
    const controller = new AbortController();
    running = controller;
    notes.replaceChildren();
    progress.reset(job.total);
    showRunning(job);
    announcer.say(`Taking in ${job.name}, ${formatCountOf(job.total, "file")}.`, 0);
    let latest: IngestProgress | null = null;
    let quarter = 0;
    let changedAt = performance.now();
    try {
      const report = await store.ingest(job.source, {
        signal: controller.signal,
        total: job.total,
        // What is embedded has a line of its own.
        embed: "off",
        origin: { name: job.name, ...(job.isSample === true && { sample: true }) },
        onProgress(now) {
          latest = now;
          progress.show(now);
          const reached = job.total === 0 ? 0 : Math.floor((4 * now.done) / job.total);
          if (reached > quarter && reached < 4) announcer.say(`${reached * 25} percent taken in.`);
          quarter = reached;
          if (performance.now() - changedAt > CHANGE_INTERVAL_MS) {
            changedAt = performance.now();
            onChange(false);
          }
        },
      });
      finish(job, report);
    } catch (error) {
      stop(job, error, latest);
    } finally {
      running = null;
      onChange(true);
      const next = queue.shift();
      if (next !== undefined) void run(next);
    }
  }

  function settle(state: "done" | "stopped" | "error", title: string): void {
    panel.dataset["state"] = state;
    const hadFocus = document.activeElement === cancel;
    cancel.hidden = true;
    close.hidden = false;
    heading.textContent = title;
    if (hadFocus) heading.focus();
    announcer.say(title);
  }

  function finish(job: IngestJob, report: IngestReport): void {
    progress.finish(report);
    settle("done", `Took in “${job.name}” in ${formatDuration(report.elapsedMs)}`);
    if (job.total === 0) notes.append(element("p", {}, "There were no files in it."));
    appendLeftOut(job);
    if (report.failures.length > 0) notes.append(failureList(report.failures));
  }

  function stop(job: IngestJob, error: unknown, latest: IngestProgress | null): void {
    progress.stop();
    if (errorCode(error) === "ABORTED") {
      settle("stopped", `Stopped taking in “${job.name}”`);
      const left = latest === null ? "" : ` ${formatCountOf(job.total - latest.done, "file")} not looked at.`;
      notes.append(
        element(
          "p",
          {},
          `Every document that is in is whole.${left} Add the same files again to go on: what is in is skipped.`,
        ),
      );
    } else {
      settle("error", `Could not go on taking in “${job.name}”`);
      notes.append(element("p", { class: "error", role: "alert" }, errorText(error)));
    }
    appendLeftOut(job);
  }

  function appendLeftOut(job: IngestJob): void {
    if (job.leftOut === 0) return;
    const what = formatCountOf(job.leftOut, "hidden file or folder", "hidden files and folders");
    notes.append(
      element("p", { "data-testid": "left-out" }, `${what} left out (names that begin with a dot, node_modules).`),
    );
  }

  return {
    element: panel,
    start(job) {
      if (running === null) void run(job);
      else queue.push(job);
    },
  };
}

function failureList(failures: readonly IngestFailure[]): HTMLElement {
  const shown = failures.slice(0, MOST_FAILURES_SHOWN);
  const more = failures.length - shown.length;
  return element(
    "details",
    { "data-testid": "failures" },
    element("summary", {}, `${formatCountOf(failures.length, "file")} could not be taken in`),
    element(
      "ul",
      { class: "failures" },
      ...shown.map((failure) =>
        element("li", {}, element("code", {}, failure.path), element("span", {}, failure.reason)),
      ),
      more > 0 && element("li", {}, `… and ${formatCount(more)} more`),
    ),
  );
}
