import type { ChatSearchHit, ChatSession, Store } from "lodestore";
import { button, element } from "../element.ts";
import { errorCode, errorText } from "../error-text.ts";
import { icon } from "../icons.ts";
import { formatCountOf, formatTime } from "../quantities.ts";
import { markedText } from "../result-card.ts";

export interface SessionList {
  readonly element: HTMLElement;
  /** Marks the conversation that is shown. */
  show(session: string | null): void;
  /** Reads the list anew. */
  refresh(): Promise<void>;
  focus(): void;
}

interface SessionListOptions {
  store: Store;
  hrefOf: (session: string | null) => string;
  /** Goes to a conversation, and to one of its turns where that was found. */
  onChoose: (session: string | null, turn?: number) => void;
  /** Leaves the list where it stands in the place of the conversation. */
  onBack: () => void;
}

const SESSIONS_A_PAGE = 30;
const HITS_A_PAGE = 20;
const TYPING_PAUSE_MS = 150;

/** The title of a conversation for people. */
export function titleOf(title: string | null): string {
  return title ?? "Untitled";
}

/** The conversations, newest activity first; or the turns in which words were found. */
export function createSessionList({ store, hrefOf, onChoose, onBack }: SessionListOptions): SessionList {
  const list = element("ol", { class: "session-list", "data-testid": "sessions" });
  const status = element("p", { class: "session-status", role: "status", "data-testid": "sessions-status" });
  const more = button({ class: "load-more", hidden: true, "data-testid": "sessions-more" }, "Load more");
  const search = element("input", {
    type: "search",
    id: "session-search",
    "aria-label": "Search the conversations",
    placeholder: "Search conversations",
    autocomplete: "off",
    spellcheck: "false",
    "data-testid": "session-search",
  });
  const fresh = button(
    { class: "new-session", "data-testid": "new-session", onclick: () => onChoose(null) },
    icon("plus"),
    "New conversation",
  );
  const back = button(
    {
      class: "quiet square back",
      "aria-label": "Back to the conversation",
      "data-testid": "hide-sessions",
      onclick: onBack,
    },
    icon("back"),
  );
  let current: string | null = null;
  let cursor: string | undefined;
  let wanted = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function load(isFurther: boolean): Promise<void> {
    const mine = ++wanted;
    const text = search.value.trim();
    const page = isFurther && cursor !== undefined ? { cursor } : {};
    try {
      const rows: HTMLElement[] = [];
      let next: string | undefined;
      if (text === "") {
        const found = await store.chat.listSessions({ limit: SESSIONS_A_PAGE, ...page });
        rows.push(...found.items.map(sessionRow));
        next = found.nextCursor;
      } else {
        const found = await store.chat.searchTurns({ text, k: HITS_A_PAGE, ...page });
        rows.push(...found.hits.map(hitRow));
        next = found.nextCursor;
      }
      if (mine !== wanted) return;
      cursor = next;
      draw(text, rows, isFurther);
    } catch (error) {
      if (mine === wanted && errorCode(error) !== "CLOSED") status.textContent = errorText(error);
    }
  }

  function draw(text: string, rows: HTMLElement[], isFurther: boolean): void {
    const focused = document.activeElement?.closest<HTMLElement>("[data-session]")?.dataset["session"];
    const hadFocus = list.contains(document.activeElement);
    if (isFurther) list.append(...rows);
    else list.replaceChildren(...rows);
    list.dataset["answerTo"] = text;
    list.setAttribute("aria-label", text === "" ? "Conversations" : "Turns found");
    more.hidden = cursor === undefined;
    const shown = list.childElementCount;
    const plus = cursor === undefined ? "" : "+";
    if (text !== "") status.textContent = shown === 0 ? `Nothing said about “${text}”` : `${shown}${plus} found`;
    else status.textContent = shown === 0 ? "No conversations yet." : "";
    mark();
    if (hadFocus && focused !== undefined) list.querySelector<HTMLElement>(`[data-session="${focused}"] a`)?.focus();
  }

  function row(session: string, turn: number | undefined, label: string, ...rest: (HTMLElement | null)[]): HTMLElement {
    const link = element("a", { href: hrefOf(session) }, label);
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      onChoose(session, turn);
    });
    return element(
      "li",
      { class: "session", "data-session": session, "data-testid": turn === undefined ? "session" : "turn-hit" },
      link,
      ...rest,
    );
  }

  function sessionRow({ id, title, lastActiveAt, turnCount }: ChatSession): HTMLElement {
    const facts = `${formatTime(lastActiveAt)} · ${formatCountOf(turnCount, "turn")}`;
    return row(id, undefined, titleOf(title), element("p", { class: "facts" }, facts));
  }

  function hitRow({ sessionId, index, sessionTitle, role, snippet }: ChatSearchHit): HTMLElement {
    const { text, highlights } = snippet;
    return row(
      sessionId,
      index,
      titleOf(sessionTitle),
      element("p", { class: "facts" }, role === "user" ? "You asked" : "Answer"),
      element("p", { class: "snippet" }, ...markedText(text, highlights)),
    );
  }

  function mark(): void {
    for (const item of list.querySelectorAll<HTMLElement>("[data-session]")) {
      const link = item.querySelector("a");
      if (item.dataset["session"] === current && item.dataset["testid"] === "session")
        link?.setAttribute("aria-current", "true");
      else link?.removeAttribute("aria-current");
    }
  }

  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void load(false), TYPING_PAUSE_MS);
  });
  more.addEventListener("click", () => {
    const first = list.childElementCount;
    void load(true).then(() => list.children[first]?.querySelector("a")?.focus());
  });

  return {
    element: element(
      "aside",
      { class: "sessions", "aria-label": "Conversations" },
      element("div", { class: "sessions-head" }, back, fresh, search),
      status,
      list,
      more,
    ),
    show(session) {
      current = session;
      mark();
    },
    refresh: () => load(false),
    focus: () => fresh.focus(),
  };
}
