import { EMPTY_STATE, formatHash, parseHash, type OpenTarget, type ViewState } from "./url-state.ts";

/** The page's state, kept in the location hash. Typing replaces the history entry; opening a document or another view adds one. */
export interface Navigation {
  state(): ViewState;
  /** Changes part of the state in place. */
  replace(change: Partial<ViewState>): void;
  /** Goes to another view or conversation, closing the document; going back returns. */
  go(change: Partial<ViewState>): void;
  open(target: OpenTarget): void;
  close(): void;
}

/** What a history entry remembers: whether the list it was opened from is the entry below. */
interface Entry {
  isAbove: boolean;
}

function isAbove(): boolean {
  return (history.state as Entry | null)?.isAbove === true;
}

/** Follows the hash until `signal` ends it and calls `onChange` with every new state. */
export function createNavigation(signal: AbortSignal, onChange: (state: ViewState) => void): Navigation {
  let state = parseHash(location.hash);
  let isGoingBack = false;

  function write(next: ViewState, method: "pushState" | "replaceState"): void {
    state = next;
    const hash = formatHash(next);
    const url = hash === formatHash(EMPTY_STATE) ? location.pathname + location.search : hash;
    const entry: Entry = { isAbove: method === "pushState" || (next.open !== null && isAbove()) };
    history[method](entry, "", url);
    onChange(next);
  }

  // popstate also comes for a hash typed by hand and for links within the page.
  window.addEventListener(
    "popstate",
    () => {
      if (isGoingBack) {
        // The list below may be older than what was typed while the document was open.
        isGoingBack = false;
        write({ ...state, open: null }, "replaceState");
      } else {
        state = parseHash(location.hash);
        onChange(state);
      }
    },
    { signal },
  );

  return {
    state: () => state,
    replace(change) {
      write({ ...state, ...change }, "replaceState");
    },
    go(change) {
      const next = { ...state, open: null, ...change };
      write(next, formatHash(next) === formatHash(state) ? "replaceState" : "pushState");
    },
    open(target) {
      write({ ...state, open: target }, state.open === null ? "pushState" : "replaceState");
    },
    close() {
      if (state.open === null) return;
      if (!isAbove()) write({ ...state, open: null }, "replaceState");
      else if (!isGoingBack) {
        isGoingBack = true;
        history.back();
      }
    },
  };
}
