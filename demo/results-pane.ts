import type { Store } from "lodestore";
import type { Announcer } from "./announcer.ts";
import { button, element } from "./element.ts";
import { errorCode, errorText } from "./error-text.ts";
import { formatCount, formatCountOf, formatDuration } from "./quantities.ts";
import type { ResultItem } from "./result-card.ts";
import { loadPage, sameQuestion, type ResultPage } from "./results-source.ts";
import { sameTarget, type OpenTarget, type ViewState } from "./url-state.ts";

export interface ResultsPane {
  readonly element: HTMLElement;
  /** Shows the state's results; asks the store only when the question changed. */
  show(state: ViewState): void;
  /** Asks again. A `gentle` refresh leaves the list alone while someone is in it. */
  refresh(gentle: boolean): void;
  itemOf(target: OpenTarget): { item: ResultItem; index: number } | undefined;
  /** Number of results on the page now, and whether there are more. */
  size(): { shown: number; more: boolean };
  /** The result `offset` rows from the open one; loads the next page when it is there. */
  neighbour(offset: 1 | -1): Promise<ResultItem | undefined>;
  /** Moves the focus to the open result, else to the first one. */
  focus(): boolean;
}

interface ResultsPaneOptions {
  store: Store;
  announcer: Announcer;
  onOpen: (item: ResultItem) => void;
  onLoaded: () => void;
  /** The arrow key went up from the first result. */
  onLeaveTop: () => void;
}

export function createResultsPane(options: ResultsPaneOptions): ResultsPane {
  const { store, announcer, onOpen, onLoaded, onLeaveTop } = options;
  const status = element("p", { class: "results-status", "data-testid": "results-status" }, "\u00a0");
  const list = element("ol", { class: "results", "data-testid": "results" });
  const nothing = element("div", { class: "nothing", hidden: true, "data-testid": "nothing-found" });
  const report = element("div", { class: "report-place" });
  const more = button({ class: "load-more", hidden: true, "data-testid": "load-more" }, "Load more");
  const pane = element("div", { class: "results-pane" }, status, list, nothing, more, report);

  let shown: ViewState | null = null;
  let items: ResultItem[] = [];
  let nextCursor: string | undefined;
  let running: AbortController | null = null;

  async function load(state: ViewState, cursor?: string): Promise<void> {
    running?.abort();
    const controller = new AbortController();
    running = controller;
    try {
      const page = await loadPage(store, state, cursor, controller.signal);
      if (running !== controller) return;
      draw(state, page, cursor !== undefined);
    } catch (error) {
      // The answer to an older question does not matter any more, not even its failure.
      if (running !== controller || errorCode(error) === "ABORTED") return;
      status.textContent = errorText(error);
      status.classList.add("error");
      announcer.say(errorText(error));
    } finally {
      if (running === controller) running = null;
    }
  }

  function draw(state: ViewState, page: ResultPage, isFurther: boolean): void {
    const focused = items.find((item) => item.link === document.activeElement);
    items = isFurther ? [...items, ...page.items] : page.items;
    nextCursor = page.nextCursor;
    const rows = page.items.map((item) => item.row);
    if (isFurther) list.append(...rows);
    else list.replaceChildren(...rows);
    list.dataset["answerTo"] = state.text;
    list.setAttribute("aria-label", page.kind === "hits" ? "Hits" : "Documents");
    for (const item of page.items) {
      item.link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        onOpen(item);
      });
    }
    more.hidden = nextCursor === undefined;
    nothing.hidden = items.length > 0;
    if (items.length === 0) nothing.replaceChildren(...nothingFound(state));
    if (!isFurther) report.replaceChildren(...(page.report === undefined ? [] : [page.report]));
    showStatus(page);
    markOpen(state.open);
    if (focused !== undefined) find(focused.target)?.item.link.focus({ preventScroll: true });
    onLoaded();
  }

  function showStatus(page: ResultPage): void {
    status.classList.remove("error");
    const plus = page.nextCursor === undefined ? "" : "+";
    const count =
      page.kind === "documents"
        ? formatCountOf(page.total ?? items.length, "document")
        : `${formatCount(items.length)}${plus} ${items.length === 1 && plus === "" ? "hit" : "hits"}`;
    status.textContent = page.kind === "documents" ? count : `${count} · ${formatDuration(page.searchMs)}`;
    if (page.withoutVectors !== undefined) status.append(` · by words alone: ${page.withoutVectors}`);
    announcer.say(page.kind === "hits" ? count.replace("+", " or more") : count);
  }

  function find(target: OpenTarget): { item: ResultItem; index: number } | undefined {
    const index = items.findIndex((item) => sameTarget(item.target, target));
    const item = items[index];
    return item === undefined ? undefined : { item, index };
  }

  function markOpen(open: OpenTarget | null): void {
    for (const item of items) {
      if (sameTarget(item.target, open)) item.link.setAttribute("aria-current", "true");
      else item.link.removeAttribute("aria-current");
    }
  }

  async function loadMore(): Promise<void> {
    if (shown !== null && nextCursor !== undefined) await load(shown, nextCursor);
  }

  more.addEventListener("click", () => {
    const first = items.length;
    void loadMore().then(() => items[first]?.link.focus());
  });

  list.addEventListener("keydown", (event) => {
    const at = items.findIndex((item) => item.link === document.activeElement);
    if (at === -1) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (to < 0) onLeaveTop();
    else if (to < items.length) items[to]?.link.focus();
    else if (!more.hidden) more.focus();
  });

  more.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp") return;
    event.preventDefault();
    items.at(-1)?.link.focus();
  });

  return {
    element: pane,
    show(state) {
      const isNew = shown === null || !sameQuestion(shown, state);
      shown = state;
      if (isNew) {
        pane.closest(".list-pane")?.scrollTo({ top: 0 });
        void load(state);
      } else markOpen(state.open);
    },
    refresh(gentle) {
      if (shown === null) return;
      const isBusy = running !== null || list.contains(document.activeElement) || more.contains(document.activeElement);
      if (gentle && (isBusy || (pane.closest(".list-pane")?.scrollTop ?? 0) > 0)) return;
      void load(shown);
    },
    itemOf: find,
    size: () => ({ shown: items.length, more: nextCursor !== undefined }),
    async neighbour(offset) {
      const at = shown?.open ? find(shown.open)?.index : undefined;
      if (at === undefined) return undefined;
      if (at + offset >= items.length) await loadMore();
      return items[at + offset];
    },
    focus() {
      const item = (shown?.open ? find(shown.open)?.item : undefined) ?? items[0];
      item?.link.focus();
      return item !== undefined;
    },
  };
}

function nothingFound(state: ViewState): HTMLElement[] {
  const hints = ["Try fewer or other words."];
  if (!state.wordForms && state.text.trim() !== "") hints.push("Turn on “Also find other word forms” in the filters.");
  if (
    !sameQuestion(
      { ...state, text: "", wordForms: false },
      { ...state, text: "", wordForms: false, lang: [], media: [], tags: [], path: "" },
    )
  ) {
    hints.push("Clear the filters.");
  }
  const title =
    state.text.trim() === "" ? "No document passes the filters" : `Nothing found for “${state.text.trim()}”`;
  return [
    element("h3", {}, title),
    element(
      "ul",
      {},
      ...(state.text.trim() === "" ? ["Clear the filters."] : hints).map((hint) => element("li", {}, hint)),
    ),
  ];
}
