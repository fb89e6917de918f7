import type { Job, JobStatus, Store } from "lodestore";
import type { Announcer } from "../announcer.ts";
import { confirmDialog } from "../confirm-dialog.ts";
import { button, element } from "../element.ts";
import { errorCode } from "../error-text.ts";
import { followChanges } from "../follow-changes.ts";
import { createKeyedList } from "../keyed-list.ts";
import { formatCount, formatCountOf } from "../quantities.ts";
import { sampleFiles } from "../sample.ts";
import { chooseAgain } from "./choose-again.ts";
import { kindName, originOf, STATUS_NAMES } from "./job-facts.ts";
import { createJobRow } from "./job-row.ts";

export interface JobsPanel {
  readonly element: HTMLElement;
  /** Begins to follow the jobs, the first time. */
  show(): void;
  focus(): void;
}

interface JobsPanelOptions {
  store: Store;
  announcer: Announcer;
  signal: AbortSignal;
  /** A job that was resumed here has ended: documents may have come in. */
  onChange: () => void;
  onError: (error: unknown) => void;
}

const JOBS_A_PAGE = 25;
/** Jobs in one page of the store at most. */
const MOST_JOBS = 1000;
const OWN_KINDS = ["ingest", "embed", "reindex"];

/** All the work of the store, as it goes on: its own, and that of programs that use it. */
export function createJobsPanel({ store, announcer, signal, onChange, onError }: JobsPanelOptions): JobsPanel {
  let wanted = JOBS_A_PAGE;
  let isFollowing = false;
  /** How each job stood that was seen: what ends while it is looked at is said. */
  const seen = new Map<string, JobStatus>();

  const heading = element("h2", { id: "jobs-title", tabindex: "-1", "data-testid": "jobs-title" }, "Jobs");
  const statusChoice = select("Status", "job-filter-status", [
    ["", "Any status"],
    ...Object.entries(STATUS_NAMES).map(([status, name]): [string, string] => [status, name]),
  ]);
  const kindChoice = select("Kind", "job-filter-kind", [
    ["", "Any kind"],
    ...OWN_KINDS.map((kind): [string, string] => [kind, kindName(kind)]),
  ]);
  const count = element("p", { class: "hint", role: "status", "data-testid": "jobs-count" });
  const list = element("ul", { class: "jobs", "data-testid": "jobs", "aria-labelledby": "jobs-title" });
  const more = button(
    {
      class: "load-more",
      "data-testid": "jobs-more",
      hidden: true,
      onclick: () => {
        wanted = Math.min(MOST_JOBS, wanted + JOBS_A_PAGE);
        lookNow();
      },
    },
    "Load more",
  );
  const showJobs = createKeyedList<Job>(list, (job) => createJobRow(job, { onCancel, onResume, onDelete }));
  const panel = element(
    "section",
    { class: "work-pane", "aria-labelledby": "jobs-title", "data-testid": "jobs-panel" },
    element(
      "div",
      { class: "work" },
      element(
        "header",
        { class: "work-head" },
        heading,
        element("div", { class: "work-filters" }, statusChoice, kindChoice),
      ),
      count,
      list,
      more,
    ),
  );
  for (const choice of [statusChoice, kindChoice]) {
    choice.addEventListener("change", () => {
      wanted = JOBS_A_PAGE;
      lookNow();
    });
  }

  async function look(): Promise<void> {
    const status = valueOf(statusChoice) as JobStatus | "";
    const kind = valueOf(kindChoice);
    const filter = { ...(status !== "" && { status }), ...(kind !== "" && { kind }) };
    const page = await store.jobs.list(filter, { limit: wanted });
    // Another filter was chosen in the meantime: its answer is on its way.
    if (status !== valueOf(statusChoice) || kind !== valueOf(kindChoice)) return;
    const hadFocus = list.contains(document.activeElement);
    showJobs(page.items);
    more.hidden = page.nextCursor === undefined || wanted === MOST_JOBS;
    const atLeast = page.nextCursor === undefined ? "" : "the newest ";
    count.textContent =
      page.items.length > 0
        ? `${atLeast}${formatCountOf(page.items.length, "job")}, newest first`
        : status === "" && kind === ""
          ? "Nothing has been done here yet. Add files: what is taken in, embedded or made anew shows here while it goes on, and stays as a record."
          : "No job is like that.";
    addKinds(page.items);
    for (const job of page.items) sayEnd(job);
    if (hadFocus && document.activeElement === document.body) heading.focus();
  }

  function lookNow(): void {
    look().catch(onError);
  }

  /** Kinds of other programs can be chosen once they have been seen. */
  function addKinds(jobs: readonly Job[]): void {
    const options = kindChoice.querySelector("select")!;
    const known = new Set([...options.options].map(({ value }) => value));
    for (const kind of new Set(jobs.map(({ kind }) => kind))) {
      if (!known.has(kind)) options.append(element("option", { value: kind }, kindName(kind)));
    }
  }

  function sayEnd({ id, kind, status, progress }: Job): void {
    const before = seen.get(id);
    seen.set(id, status);
    if (before !== "running" || status === "running") return;
    const done = progress?.["done"];
    const howFar = typeof done === "number" ? `, ${formatCount(done)} done` : "";
    announcer.say(`${kindName(kind)}: ${STATUS_NAMES[status].toLowerCase()}${howFar}.`);
  }

  function onCancel({ id, kind }: Job): void {
    void attempt(async () => {
      const isSure = await confirmDialog({
        title: "Cancel this job?",
        detail: `${kindName(kind)} ends after the step at hand. What is done stays done, and it can be resumed.`,
        action: "Cancel the job",
      });
      if (isSure) await store.jobs.cancel(id);
    });
  }

  function onResume(job: Job): void {
    void attempt(async () => {
      if (job.kind !== "ingest") await store.jobs.resume(job.id);
      else {
        const { name, isSample } = originOf(job);
        const source = isSample ? sampleFiles() : (await chooseAgain(name))?.files();
        if (source === undefined) return;
        await store.jobs.resume(job.id, { source });
      }
      onChange();
    });
  }

  function onDelete({ id }: Job): void {
    void attempt(async () => {
      await store.jobs.delete(id);
      announcer.say("The job is deleted.");
    });
  }

  async function attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // A job that ended in the meantime shows how; one that was cancelled says so itself.
      if (errorCode(error) !== "ABORTED") onError(error);
    } finally {
      if (!signal.aborted) lookNow();
    }
  }

  return {
    element: panel,
    show() {
      if (isFollowing) return;
      isFollowing = true;
      void followChanges({ store, topics: ["jobs"], signal, look, onError });
    },
    focus: () => heading.focus(),
  };
}

function select(label: string, testId: string, options: readonly (readonly [string, string])[]): HTMLLabelElement {
  return element(
    "label",
    {},
    element("span", { class: "visually-hidden" }, label),
    element("select", { "data-testid": testId }, ...options.map(([value, text]) => element("option", { value }, text))),
  );
}

function valueOf(choice: HTMLElement): string {
  return choice.querySelector("select")?.value ?? "";
}
