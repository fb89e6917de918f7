import type { EvalRunOptions, EvalSuiteInfo, Store } from "lodestore";
import { confirmDialog } from "../confirm-dialog.ts";
import { button, element } from "../element.ts";
import { errorCode, errorText } from "../error-text.ts";
import { formatCount, formatCountOf } from "../quantities.ts";
import type { Mode } from "../url-state.ts";
import { MODE_NAMES } from "./measures.ts";

export interface RunForm {
  readonly element: HTMLElement;
  /** Shows the suites that there are. */
  show(suites: readonly EvalSuiteInfo[]): void;
  /** Chooses a suite, once it is shown. */
  choose(suite: string): void;
}

interface RunFormOptions {
  store: Store;
  signal: AbortSignal;
  byMeaning: boolean;
  /** A run came to its end. */
  onRun: (id: string) => void;
  onError: (error: unknown) => void;
}

/** Asks the queries of a suite, in the mode and to the depth that a person chooses. */
export function createRunForm({ store, signal, byMeaning, onRun, onError }: RunFormOptions): RunForm {
  let suites: readonly EvalSuiteInfo[] = [];
  let wanted: string | null = null;
  let running: AbortController | null = null;

  const suite = element("select", { id: "eval-suite", required: true, "data-testid": "eval-suite" });
  const mode = element(
    "select",
    { id: "eval-mode", "data-testid": "eval-mode" },
    ...(Object.entries(MODE_NAMES) as [Mode, string][]).map(([value, name]) =>
      element("option", { value, disabled: value !== "lexical" && !byMeaning }, name),
    ),
  );
  const k = element("input", {
    id: "eval-k",
    type: "number",
    min: 1,
    max: 1000,
    value: 10,
    required: true,
    "data-testid": "eval-k",
  });
  const label = element("input", {
    id: "eval-label",
    type: "text",
    maxlength: 256,
    placeholder: "Optional",
    "data-testid": "eval-label",
  });
  const start = button({ class: "primary", type: "submit", "data-testid": "eval-start" }, "Run");
  const stop = button({ hidden: true, "data-testid": "eval-stop", onclick: () => running?.abort() }, "Stop");
  const remove = button(
    { class: "quiet", "data-testid": "delete-suite", onclick: () => void removeSuite() },
    "Delete suite…",
  );
  const bar = element("progress", {
    hidden: true,
    "aria-label": "Progress of the run",
    "data-testid": "eval-progress",
  });
  const status = element("p", { class: "hint", role: "status", "data-testid": "eval-status" });
  const form = element(
    "form",
    { class: "run-form", hidden: true, "aria-label": "Run a suite", "data-testid": "run-form" },
    field("Suite", suite),
    field("Search by", mode),
    field("Places k", k),
    field("Label", label),
    element("div", { class: "actions" }, start, stop, remove),
    !byMeaning && element("p", { class: "hint wide" }, "Meaning and both need a model: choose one under Storage."),
    bar,
    status,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run();
  });
  signal.addEventListener("abort", () => running?.abort());

  function setRunning(abort: AbortController | null): void {
    const hadFocus = document.activeElement === stop || document.activeElement === start;
    running = abort;
    start.hidden = abort !== null;
    stop.hidden = abort === null;
    remove.hidden = abort !== null;
    bar.hidden = abort === null;
    bar.removeAttribute("value");
    for (const control of [suite, mode, k, label]) control.disabled = abort !== null;
    if (hadFocus) (abort === null ? start : stop).focus();
  }

  async function run(): Promise<void> {
    if (running !== null) return;
    const abort = new AbortController();
    const said = label.value.trim();
    const options: EvalRunOptions = {
      k: Number(k.value),
      search: { mode: mode.value as Mode },
      ...(said !== "" && { label: said }),
      signal: abort.signal,
      onProgress({ done, total }) {
        bar.value = total === 0 ? 1 : done / total;
        status.textContent = `${formatCount(done)} of ${formatCountOf(total, "query", "queries")} asked`;
      },
    };
    status.className = "hint";
    status.textContent = "Asking…";
    const { value: name } = suite;
    setRunning(abort);
    try {
      const { id } = await store.evaluations.run(name, options);
      status.textContent = `The run of “${name}” is complete.`;
      label.value = "";
      setRunning(null);
      onRun(id);
    } catch (error) {
      const isStopped = errorCode(error) === "ABORTED";
      status.className = isStopped ? "hint" : "error";
      status.textContent = isStopped ? "Stopped. What was asked is kept as a run that was stopped." : errorText(error);
      setRunning(null);
    }
  }

  async function removeSuite(): Promise<void> {
    const { value: name } = suite;
    try {
      const isSure = await confirmDialog({
        title: "Delete this suite?",
        detail: `“${name}” and its queries leave the store. Its runs stay.`,
        action: "Delete the suite",
      });
      if (isSure) await store.evaluations.deleteSuite(name);
    } catch (error) {
      onError(error);
    }
  }

  function draw(): void {
    const before = wanted ?? suite.value;
    form.hidden = suites.length === 0;
    suite.replaceChildren(
      ...suites.map(({ name, queryCount }) =>
        element("option", { value: name }, `${name} (${formatCountOf(queryCount, "query", "queries")})`),
      ),
    );
    if (!suites.some(({ name }) => name === before)) return;
    suite.value = before;
    wanted = null;
  }

  return {
    element: form,
    show(next) {
      suites = next;
      draw();
    },
    choose(name) {
      wanted = name;
      draw();
    },
  };
}

function field(label: string, control: HTMLElement): HTMLElement {
  return element("div", { class: "run-field" }, element("label", { for: control.id }, label), control);
}
