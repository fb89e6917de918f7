import type { Store } from "lodestore";
import { createAnnouncer } from "./announcer.ts";
import { createChatPanel } from "./chat/chat-panel.ts";
import { button, element } from "./element.ts";
import { errorCode, errorText } from "./error-text.ts";
import { createEmbeddingLine } from "./embedding-line.ts";
import { createFileIntake } from "./file-intake.ts";
import { createEvaluationPanel } from "./evaluation/evaluation-panel.ts";
import { createFilterBar } from "./filter-bar.ts";
import { icon } from "./icons.ts";
import { createIngestPanel } from "./ingest-panel.ts";
import { interruptedNotice } from "./jobs/interrupted-notice.ts";
import { createJobsPanel } from "./jobs/jobs-panel.ts";
import { watchKeys } from "./keys.ts";
import { createLiveCounters } from "./live-counters.ts";
import { createModeSwitch } from "./mode-switch.ts";
import { createNavigation } from "./navigation.ts";
import { banner } from "./page-message.ts";
import type { ResultItem } from "./result-card.ts";
import { createResultsPane } from "./results-pane.ts";
import { sampleFiles, sampleSize } from "./sample.ts";
import { createSearchBox } from "./search-box.ts";
import { createStoragePanel } from "./storage-panel.ts";
import { createThemeButton } from "./theme.ts";
import { formatHash, sameTarget, type View, type ViewState } from "./url-state.ts";
import { createViewNav } from "./view-nav.ts";
import { createViewer } from "./viewer.ts";
import { createWelcome } from "./welcome.ts";

export interface AppOptions {
  store: Store;
  /** Ends the app: its listeners on the window go. */
  signal: AbortSignal;
  onDeleteEverything: () => Promise<void>;
  /** Opens the store anew, with the model that was chosen. */
  onModelChosen: () => void;
  /** Whether the store makes embeddings. */
  hasModel: boolean;
  /** Host of the model that texts are sent to; `null` where none are. */
  modelHost: string | null;
  /** Why it does not, where the model that was chosen was refused. */
  modelProblem: string | null;
}

/** Builds the page around an open store. */
export function createApp(options: AppOptions): HTMLElement {
  const { store, signal, onDeleteEverything, onModelChosen, hasModel, modelHost, modelProblem } = options;
  const announcer = createAnnouncer();
  const navigation = createNavigation(signal, show);
  const views = createViewNav((view) => navigation.go({ view }));
  const notices = element("div", { class: "notices" });
  let focusOnOpen = false;

  const searchBox = createSearchBox({
    onText: (text) => navigation.replace({ text }),
    onLeaveDown: () => results.focus(),
  });
  const modes = createModeSwitch(hasModel, (change) => navigation.replace(change));
  const filters = createFilterBar((change) => navigation.replace(change));
  const results = createResultsPane({
    store,
    announcer,
    onOpen: (item) => openItem(item, true),
    onLoaded: placeViewer,
    onLeaveTop: () => searchBox.focus(),
  });
  const viewer = createViewer({
    store,
    onClose: close,
    onStep: (offset) => {
      void results.neighbour(offset).then((item) => item !== undefined && openItem(item, false));
    },
    onDeleted: (document) => {
      announcer.say(`${document.title || document.workspacePath} deleted.`);
      close();
      void refresh();
    },
  });
  const storage = createStoragePanel({
    store,
    onDeleteEverything,
    onModelChosen,
    onRestored: () => {
      announcer.say("The backup is restored.");
      void refresh();
    },
  });
  const embedding = createEmbeddingLine({ store, announcer, signal });
  const ingest = createIngestPanel({ store, announcer, onChange: (ended) => ended && void refresh() });
  const intake = createFileIntake({
    signal,
    onFiles: (selection) => ingest.start({ ...selection, source: selection.files() }),
    onError: showError,
  });
  const welcome = createWelcome({
    intakeButtons: intake.buttons(),
    modelHost,
    onSample: () =>
      ingest.start({
        name: "Lodestore’s documentation",
        source: sampleFiles(),
        total: sampleSize,
        leftOut: 0,
        isSample: true,
      }),
  });

  const chat = createChatPanel({
    store,
    announcer,
    signal,
    byMeaning: hasModel,
    state: () => navigation.state(),
    onGo: (change) => navigation.go(change),
    onReplace: (change) => navigation.replace(change),
    onOpen(target) {
      focusOnOpen = true;
      navigation.open(target);
    },
    onModel: (host) => welcome.showChatHost(host),
    onError: showError,
  });
  const jobs = createJobsPanel({ store, announcer, signal, onChange: () => void refresh(), onError: showError });
  const evaluation = createEvaluationPanel({
    store,
    announcer,
    signal,
    byMeaning: hasModel,
    hrefOf: (change) => formatHash({ ...navigation.state(), open: null, ...change }),
    onGo: (change) => navigation.go(change),
    onError: showError,
  });
  /** What each view puts beside the viewer; the others are hidden. */
  const panels: Readonly<Record<View, HTMLElement>> = {
    search: element(
      "section",
      { class: "list-pane", "aria-label": "Documents" },
      modes.element,
      filters.element,
      results.element,
    ),
    chat: chat.element,
    jobs: jobs.element,
    evaluation: evaluation.element,
  };
  const panes = element("main", { class: "panes" }, ...Object.values(panels), viewer.element);
  const counters = createLiveCounters({ store, signal, onDocuments, onError: showError });
  const root = element(
    "div",
    { class: "app", "data-testid": "app", "data-content": "unknown" },
    element(
      "header",
      { class: "top" },
      element("h1", { class: "brand" }, icon("book"), element("b", {}, "Lodestore"), counters),
      searchBox.element,
      element(
        "div",
        { class: "top-tools" },
        ...intake.buttons(),
        button(
          { "data-testid": "open-storage", title: "Storage", onclick: () => storage.open() },
          icon("database"),
          element("span", {}, "Storage"),
        ),
        createThemeButton(),
      ),
    ),
    views.element,
    notices,
    ingest.element,
    embedding.element,
    welcome.element,
    panes,
    intake.element,
    storage.element,
    announcer.element,
  );

  function show(asked: ViewState): void {
    // A link from a browser with a model may come to one without.
    const state: ViewState = hasModel ? asked : { ...asked, mode: "lexical" };
    searchBox.show(state.text);
    modes.show(state);
    filters.showState(state);
    root.toggleAttribute("data-open", state.open !== null);
    root.dataset["view"] = state.view;
    views.show(state);
    for (const [view, panel] of Object.entries(panels)) panel.hidden = view !== state.view;
    if (state.view === "search") results.show(state);
    if (state.view === "chat") chat.show(state);
    if (state.view === "jobs") jobs.show();
    if (state.view === "evaluation") evaluation.show(state);
    viewer.show(state.open, { focus: focusOnOpen });
    focusOnOpen = false;
    placeViewer();
  }

  function placeViewer(): void {
    const { open, view } = navigation.state();
    if (open !== null && view === "chat")
      return viewer.place({ index: 0, shown: 1, more: false, words: chat.wordsOf(open) });
    const found = open === null ? undefined : results.itemOf(open);
    viewer.place(found === undefined ? null : { index: found.index, words: found.item.words, ...results.size() });
  }

  function openItem(item: ResultItem, focus: boolean): void {
    if (sameTarget(item.target, navigation.state().open)) return;
    focusOnOpen = focus;
    navigation.open(item.target);
    item.row.scrollIntoView({ block: "nearest" });
  }

  function close(): void {
    focusPanel();
    navigation.close();
  }

  function focusPanel(): void {
    const { view } = navigation.state();
    if (view === "search") results.focus();
    else ({ chat, jobs, evaluation })[view].focus();
  }

  /** Where “/” leads: to the question of the chat, else to the search, wherever one is. */
  function focusSearch(): void {
    const { view } = navigation.state();
    if (view === "chat") return chat.focus();
    if (view !== "search") navigation.go({ view: "search" });
    searchBox.focus();
  }

  function showError(error: unknown): void {
    // A store that is gone has a banner of its own, with the way back.
    if (["OWNER_LOST", "CLOSED"].includes(errorCode(error) ?? "")) return;
    notices.replaceChildren(banner(errorText(error), "Dismiss", () => notices.replaceChildren()));
  }

  /** Shows the documents there are now, whoever changed them. */
  function onDocuments(documents: number): void {
    root.dataset["content"] = documents === 0 ? "empty" : "some";
    chat.refresh(documents);
    results.refresh(true);
  }

  /** Asks for the figures behind the filters, and for the results, anew. */
  async function refresh(): Promise<void> {
    try {
      const stats = await store.stats();
      filters.showStats(stats);
      if (hasModel && stats.documents > 0) embedding.start();
      results.refresh(false);
    } catch (error) {
      showError(error);
    }
  }

  watchKeys({
    signal,
    onSearch: focusSearch,
    onEscape: () => {
      if (navigation.state().open !== null) close();
    },
  });
  if (modelProblem !== null) {
    const text = `The model cannot be used, so documents are found by their words alone: ${modelProblem}`;
    notices.replaceChildren(banner(text, "Choose a model", () => storage.open()));
  }
  interruptedNotice(store, () => {
    notices.replaceChildren();
    navigation.go({ view: "jobs" });
    jobs.focus();
  })
    .then((notice) => notice !== null && notices.append(notice))
    .catch(showError);
  show(navigation.state());
  void refresh();
  return root;
}
