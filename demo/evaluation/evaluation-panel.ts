import type { Store } from "lodestore";
import type { Announcer } from "../announcer.ts";
import { button, element } from "../element.ts";
import { followChanges } from "../follow-changes.ts";
import type { ViewState } from "../url-state.ts";
import { createAnswerList } from "./answer-list.ts";
import { createRunForm } from "./run-form.ts";
import { runList } from "./run-list.ts";
import { createRunView } from "./run-view.ts";
import { createSuiteIntake } from "./suite-intake.ts";
import { createSuiteMaker } from "./suite-maker.ts";

export interface EvaluationPanel {
  readonly element: HTMLElement;
  /** Shows all runs, or the state's. */
  show(state: ViewState): void;
  focus(): void;
}

interface EvaluationPanelOptions {
  store: Store;
  announcer: Announcer;
  signal: AbortSignal;
  /** Whether the store makes embeddings. */
  byMeaning: boolean;
  /** Address of the page as it is, but for the change. */
  hrefOf: (change: Partial<ViewState>) => string;
  onGo: (change: Partial<ViewState>) => void;
  onError: (error: unknown) => void;
}

const RUNS_A_PAGE = 25;
const MOST_RUNS = 1000;
const MOST_SUITES = 200;

/** How well the search finds what it should, measured with suites of queries; and what the chat answered. */
export function createEvaluationPanel(options: EvaluationPanelOptions): EvaluationPanel {
  const { store, announcer, signal, byMeaning, hrefOf, onGo, onError } = options;
  let isFollowing = false;
  let wanted = RUNS_A_PAGE;
  let shown: { run: string | null; against: string | null } = { run: null, against: null };
  let isReached = false;

  const heading = element("h2", { tabindex: "-1", "data-testid": "evaluation-title" }, "Evaluation");
  const runs = element("div", { "data-testid": "runs" });
  const more = button(
    {
      class: "load-more",
      hidden: true,
      "data-testid": "runs-more",
      onclick: () => {
        wanted = Math.min(MOST_RUNS, wanted + RUNS_A_PAGE);
        lookAtRuns().catch(onError);
      },
    },
    "Load more",
  );
  const form = createRunForm({
    store,
    signal,
    byMeaning,
    onRun(id) {
      announcer.say("The run is complete.");
      // Whoever has gone on to something else is not fetched back.
      if (isReached && shown.run === null) onGo({ run: id, against: null });
    },
    onError,
  });
  const onSuite = (name: string): void => {
    form.choose(name);
    lookAtRuns().catch(onError);
  };
  const answers = createAnswerList({ store, hrefOf, onError });
  const view = createRunView({ store, hrefOf, onGo, onError });
  const overview = element(
    "div",
    { class: "work" },
    element(
      "header",
      {},
      heading,
      element(
        "p",
        { class: "hint" },
        "How well the search finds what it should: queries whose documents are known are asked, and what comes is measured.",
      ),
    ),
    createSuiteIntake(store, onSuite),
    createSuiteMaker(store, byMeaning, onSuite),
    form.element,
    element("section", { class: "work-section", "aria-label": "Runs" }, element("h3", {}, "Runs"), runs, more),
    answers.element,
  );
  const panel = element(
    "section",
    { class: "work-pane", "aria-label": "Evaluation", "data-testid": "evaluation" },
    overview,
    view.element,
  );

  async function lookAtRuns(): Promise<void> {
    const [suites, page] = await Promise.all([
      store.evaluations.listSuites({ limit: MOST_SUITES }),
      store.evaluations.listRuns({}, { limit: wanted }),
    ]);
    form.show(suites.items);
    const focused = runs.contains(document.activeElement)
      ? (document.activeElement as HTMLElement).dataset["run"]
      : undefined;
    runs.replaceChildren(
      page.items.length === 0
        ? element("p", { class: "hint" }, "No suite has been run yet.")
        : runList(page.items, { hrefOf, onGo }),
    );
    more.hidden = page.nextCursor === undefined || wanted === MOST_RUNS;
    if (focused !== undefined) runs.querySelector<HTMLElement>(`[data-run="${focused}"]`)?.focus();
    if (shown.run !== null && view.isRunning()) await view.show(shown.run, shown.against);
  }

  function follow(): void {
    if (isFollowing) return;
    isFollowing = true;
    void followChanges({ store, topics: ["evaluations"], signal, look: lookAtRuns, onError });
    void followChanges({ store, topics: ["answers"], signal, look: () => answers.look(), onError });
  }

  return {
    element: panel,
    show({ run, against }) {
      follow();
      const isOther = run !== shown.run || against !== shown.against;
      const before = shown;
      shown = { run, against };
      overview.hidden = run !== null;
      view.element.hidden = run === null;
      if (isOther && run !== null) {
        void view.show(run, against).then(() => {
          // Who has come here from the list reads on from the title; a comparison is chosen further down, and stays there.
          if (isReached && before.run !== run) view.focus();
          else if (isReached) panel.querySelector<HTMLElement>("[data-testid=compare-with]")?.focus();
        });
        if (before.run !== run) panel.scrollTo({ top: 0 });
      } else if (isOther) heading.focus();
      isReached = true;
    },
    focus: () => (shown.run === null ? heading : view).focus(),
  };
}
